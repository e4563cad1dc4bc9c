"""What the monitor prints for the startd: ClassAds for slots and for HTCondor's per-job metrics. Pure.

Per model one ad goes to the primary partitionable slot that offers it (`node/slots.py` lays out one a model), with the
readings of all its devices. Per device two ads go to the dynamic slots that hold it, one for sessions and one for the
backfill slot: HTCondor keeps a job's sums in the device's ad, and for the length of a hand-over two jobs have it.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from mlinfn_condor.metering.counters import Counters
from mlinfn_condor.metering.withdrawal import KINDS
from mlinfn_condor.node.devices import Device, Kind

UPDATE = "update:true"
"""The slot goes to the collector, and to its job's starter, at once: what is told once a report is never older."""
_OFFERS = {"primary": "BackfillSlot =!= true", "backfill": "BackfillSlot =?= true"}


@dataclass(frozen=True)
class Metered:
    """A device and its counters."""

    device: Device
    counters: Counters
    since_report: Counters
    """As they stood when they were last told."""
    peak_memory_mb: int | None = None
    """Since then."""


def report(metered: Iterable[Metered], now: int, stuck: Collection[str] = ()) -> str:
    """Everything that the startd is told at `now` (seconds of the epoch).

    `stuck`: broken devices that are still on offer; the START of slots with one of them refuses (62).
    """
    metered = list(metered)
    return "".join([*_of_jobs(metered, now), *_of_slots(metered, now), *_of_stuck(metered, stuck)])


def _of_stuck(metered: Iterable[Metered], stuck: Collection[str]) -> Iterator[str]:
    """Always told, because an attribute that is not told again stays in the slot as it was."""
    ids = _text(",".join(one.device.id for one in metered))
    have = (f'stringListsIntersect({ids}, Assigned{kind} ?: "")' for kind in KINDS)
    yield f"SlotMergeConstraint = {' || '.join(have)}\n"
    yield f"MlinfnBrokenDevices = {_text(','.join(sorted(stuck)))}\n- broken\n"


def _of_slots(metered: Iterable[Metered], now: int) -> Iterator[str]:
    groups: dict[tuple[Kind, str], list[Metered]] = {}
    for one in metered:
        groups.setdefault((one.device.kind, one.device.model), []).append(one)
    for number, ((kind, _), members) in enumerate(groups.items()):
        ids = ",".join(one.device.id for one in members)
        here = (
            f"PartitionableSlot =?= true && {_OFFERS['primary']} && stringListsIntersect({_text(ids)}, Assigned{kind})"
        )
        yield f"SlotMergeConstraint = {here}\n"
        yield f"DeviceReadings = {{ {', '.join(reading(one, now) for one in members)} }}\n"
        yield f"- slot{number} {UPDATE}\n"


def _of_jobs(metered: Iterable[Metered], now: int) -> Iterator[str]:
    for number, one in enumerate(metered):
        kind = one.device.kind
        figures = _since_report(one)
        for offer, slot in _OFFERS.items():
            here = f"DynamicSlot =?= true && {slot} && stringListMember({_text(one.device.id)}, Assigned{kind})"
            yield f"SlotMergeConstraint = {here}\n"
            for name, value in figures.items():
                yield f"Uptime{kind}{name}Seconds = {value:.3f}\n"
            if one.peak_memory_mb is not None:
                yield f"Uptime{kind}MemoryPeakUsage = {one.peak_memory_mb}\n"
            yield f"Uptime{kind}MeteredAtPeakUsage = {now}\n"
            yield f"- {offer}{number} {UPDATE}\n"


def _since_report(one: Metered) -> dict[str, float]:
    now, then = one.counters, one.since_report
    return {
        "": now.busy_seconds - then.busy_seconds,
        "Measured": now.measured_seconds - then.measured_seconds,
        "Watts": now.joules - then.joules,
        "WattsMeasured": now.energy_seconds - then.energy_seconds,
    }


def reading(one: Metered, now: int) -> str:
    """One device as a ClassAd; a figure that is not known is absent."""
    counters, look = one.counters, one.counters.last
    power = look.power_watts * look.energy_share if look.power_watts is not None else None
    error = counters.energy_error
    figures: Mapping[str, str | int | float | None] = {
        "Id": one.device.id,
        "Model": one.device.model,
        "At": now,
        "CounterStart": counters.start,
        "BusySeconds": round(counters.busy_seconds, 3),
        "MeasuredSeconds": round(counters.measured_seconds, 3),
        "Joules": round(counters.joules, 1),
        "EnergySeconds": round(counters.energy_seconds, 3),
        "EnergySource": counters.energy_source,
        "EnergyError": round(error, 4) if error is not None else None,
        "PowerWatts": round(power, 1) if power is not None else None,
        "MemoryUsedMb": look.memory_used_mb,
        "MemoryTotalMb": look.memory_total_mb,
        "TemperatureC": look.temperature_c,
        "ClockMhz": look.clock_mhz,
        "Processes": look.processes,
        "Health": look.health,
        "Reason": "; ".join(look.reasons) or None,
    }
    told = (f"{name} = {_value(value)}" for name, value in figures.items() if value is not None)
    return f"[ {'; '.join(told)} ]"


def _value(value: str | int | float) -> str:
    return _text(value) if isinstance(value, str) else f"{value}"


def _text(text: str) -> str:
    """A ClassAd string; a driver's words may hold anything, and the startd reads line by line."""
    return json.dumps("".join(c if c.isprintable() else " " for c in text), ensure_ascii=True).replace("\\u", "u")
