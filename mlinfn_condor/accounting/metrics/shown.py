"""What the pool shows now: devices, queues and fair share. Three questions to the collector, none to a schedd."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.core import Metric

from mlinfn_condor.accounting.metrics.families import Counter, Gauge
from mlinfn_condor.pool import Pool, Priority, Slot, Submitter

DEVICE = ("node", "device", "model")
MIB = 1024**2
BUSY = Counter("mlinfn_device_busy_seconds_total", "The device was computing; begins anew with its monitor.", DEVICE)
MEASURED = Counter("mlinfn_device_measured_seconds_total", "It was known whether the device was computing.", DEVICE)
JOULES = Counter("mlinfn_device_energy_joules_total", "Energy of the device; begins anew with its monitor.", DEVICE)
ENERGY_KNOWN = Counter("mlinfn_device_energy_known_seconds_total", "The device's energy was known.", DEVICE)
POWER = Gauge("mlinfn_device_power_watts", "Power of the device at the last look of its monitor.", DEVICE)
MEMORY = Gauge("mlinfn_device_memory_used_bytes", "Memory in use on the device.", DEVICE)
MEMORY_ALL = Gauge("mlinfn_device_memory_bytes", "Memory that the device has.", DEVICE)
HEAT = Gauge("mlinfn_device_temperature_celsius", "Temperature of the device.", DEVICE)
BROKEN = Gauge("mlinfn_device_broken", "1: the device is broken and withdrawn; 0: it is sound.", DEVICE)
READ_AT = Gauge("mlinfn_device_reading_timestamp_seconds", "When the device's monitor wrote its reading.", DEVICE)
JOBS = Gauge("mlinfn_jobs", "Jobs in the queues; state is idle, running or held.", ("project", "class", "state"))
HANDOVERS = Gauge("mlinfn_handovers", "Slots whose payload was told to go, and still has its window.")
PRIORITY = Gauge("mlinfn_effective_priority", "Effective priority; the smaller one is served first.", ("submitter",))
FACTOR = Gauge("mlinfn_priority_factor", "What the real priority is multiplied with.", ("submitter",))
IN_USE = Gauge("mlinfn_weighted_slots_in_use", "Slot weights in use: a core is 1, a device more.", ("submitter",))
USE = Counter("mlinfn_weighted_slot_seconds_total", "Slot weights times seconds, not decayed.", ("submitter",))

WANTED = (
    '(PartitionableSlot is true && MlinfnOffer == "session" && DeviceReadings isnt undefined) || State == "Preempting"'
)


@dataclass(frozen=True)
class Shown:
    """Answers of about the same moment."""

    slots: Sequence[Slot]
    submitters: Sequence[Submitter]
    priorities: Sequence[Priority]


def ask(pool: Pool) -> Shown:
    """Raises PoolUnavailable."""
    return Shown(pool.slots(WANTED, ["DeviceReadings"]), pool.submitters(), pool.priorities())


def told(shown: Shown, *, users: bool) -> Iterator[Metric]:
    """All of it; the priorities of people only for `users`, those of groups always."""
    readings = [(who, reading) for slot in shown.slots if slot.partitionable for who, reading in _readings(slot)]
    for family, figure in (
        (BUSY, _figure("BusySeconds")),
        (MEASURED, _figure("MeasuredSeconds")),
        (JOULES, _figure("Joules")),
        (ENERGY_KNOWN, _figure("EnergySeconds")),
        (POWER, _figure("PowerWatts")),
        (MEMORY, _figure("MemoryUsedMb", MIB)),
        (MEMORY_ALL, _figure("MemoryTotalMb", MIB)),
        (HEAT, _figure("TemperatureC")),
        (READ_AT, _figure("At")),
        (BROKEN, _broken),
    ):
        yield family.of((who, figure(reading)) for who, reading in readings)
    yield HANDOVERS.of([((), sum(slot.leaving for slot in shown.slots))])
    yield JOBS.of(_jobs(shown.submitters).items())
    chosen = [each for each in shown.priorities if each.is_group or users]
    yield PRIORITY.of(((each.name,), each.effective) for each in chosen)
    yield FACTOR.of(((each.name,), each.factor) for each in chosen)
    yield IN_USE.of(((each.name,), each.weighted_in_use) for each in chosen)
    yield USE.of(((each.name,), each.weighted_hours * 3600) for each in chosen)


def _readings(slot: Slot) -> Iterator[tuple[tuple[str, str, str], Mapping[str, Any]]]:
    readings = slot.ad.get("DeviceReadings")
    for reading in readings if isinstance(readings, list) else ():
        if "Id" in reading:
            yield (slot.node, str(reading["Id"]), str(reading.get("Model", "unknown"))), reading


def _figure(name: str, unit: int = 1) -> Callable[[Mapping[str, Any]], float | None]:
    def figure(reading: Mapping[str, Any]) -> float | None:
        value = reading.get(name)
        return value * unit if isinstance(value, int | float) else None

    return figure


def _broken(reading: Mapping[str, Any]) -> float | None:
    return {"ok": 0.0, "broken": 1.0}.get(str(reading.get("Health")))


def _jobs(submitters: Sequence[Submitter]) -> dict[tuple[str, str, str], float]:
    jobs: dict[tuple[str, str, str], float] = {}
    for each in submitters:
        if not (each.priority_class or each.idle or each.running or each.held):
            continue  # a name outside of the groups, which a schedd goes on telling of for a while
        for state, many in (("idle", each.idle), ("running", each.running), ("held", each.held)):
            key = (each.project, str(each.priority_class or ""), state)
            jobs[key] = jobs.get(key, 0) + many
    return jobs
