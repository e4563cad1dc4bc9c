"""One look at the pool: what runs now, which devices there are, what they measured, and what the negotiator thinks.

Histories tell of an attempt when it ends. A session may last for weeks: until then it is known from the slots alone.
"""

import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlinfn_condor.accounting.metered import over_all
from mlinfn_condor.accounting.recorder import GAP_SECONDS
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.pool import Pool
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.slots import Slot
from mlinfn_condor.store import Connection

PATIENCE_SECONDS = 2 * 3600
"""A job that is gone without a record of its end for so long is given up; longer than any lease (44-…)."""
SOURCES = {"counter": "c", "integrated": "i", "simulated": "s"}


@dataclass(frozen=True)
class Look:
    """The pool at one moment (`at`, seconds of the epoch)."""

    at: int
    slots: Sequence[Slot]
    priorities: Sequence[Priority]


def look(pool: Pool) -> Look:
    """Ask the collector, twice in all. Raises PoolUnavailable."""
    slots = pool.slots()
    return Look(int(time.time()), slots, pool.priorities())


def store(connection: Connection, seen: Look) -> None:
    """Keep it, in one transaction; the same look stored twice changes nothing."""
    at = {"at": seen.at}
    with connection.transaction():
        connection.execute(SQL.text("hold_looks"))
        connection.execute(SQL.text("keep_sample_month"), at)
        for statement, rows in (
            ("know_device", device_rows(seen)),
            ("see_device", device_rows(seen)),
            ("end_changed_machine", machine_rows(seen)),
            ("know_machine", machine_rows(seen)),
            ("see_running", running_rows(seen)),
            ("take_reading", reading_rows(seen)),
            ("note_submitter", submitter_rows(seen)),
        ):
            with connection.cursor() as cursor:
                cursor.executemany(SQL.text(statement), list(rows))
        if seen.slots:  # a collector that has just started knows no slot yet: nothing is gone for that
            connection.execute(SQL.text("miss_running"), at)
        connection.execute(SQL.text("mark_days_of_running"), at)
        for statement in ("keep_vanished_months", "close_vanished"):
            connection.execute(SQL.text(statement), at | {"patience_s": PATIENCE_SECONDS})


def running_rows(seen: Look) -> Iterator[dict[str, Any]]:
    """A row for each claimed slot with a job in it."""
    for slot in seen.slots:
        identity = str(slot.ad.get("GlobalJobId", "")).split("#")
        if not slot.claimed or slot.job is None or len(identity) != 3 or not identity[2].isdigit():
            continue
        if not slot.ad.get("JobStart"):
            continue  # claimed, and its job has not begun
        yield {
            "at": seen.at,
            "access_point": slot.job.access_point,
            "cluster": slot.job.cluster,
            "proc": slot.job.proc,
            "submitted": int(identity[2]),
            "started": slot.since,
            "cpus": slot.cpus,
            "memory_mb": slot.memory_mb,
            "devices_busy": rate(slot.ad, "", len(slot.assigned)),
            "watts": rate(slot.ad, "Watts", len(slot.assigned)),
            "username": slot.user,
            "project": slot.project,
            "class": str(slot.priority_class or ""),
            "node": slot.node,
            "slot": slot.name.partition("@")[0],
            "devices": list(slot.assigned),
        }


def device_rows(seen: Look) -> Iterator[dict[str, Any]]:
    """A row for each device that sessions could get: every device is in exactly one such slot."""
    for slot in _offers(seen.slots):
        for device in slot.devices:
            yield {
                "at": seen.at,
                "gap_s": GAP_SECONDS,
                "node": slot.node,
                "device": device.id,
                "kind": device.kind.value,
                "model": device.model,
                "simulated": device.simulated,
                "owner_project": slot.owner_project,
            }


def machine_rows(seen: Look) -> Iterator[dict[str, Any]]:
    """A row for each node: what all its slots share."""
    totals = {
        slot.node: (int(slot.ad.get("TotalCpus", 0)), int(slot.ad.get("TotalMemory", 0)))
        for slot in _offers(seen.slots)
    }
    for node, (cpus, memory_mb) in totals.items():
        yield {"at": seen.at, "node": node, "cpus": cpus, "memory_mb": memory_mb}


def reading_rows(seen: Look) -> Iterator[dict[str, Any]]:
    """A row for each device whose monitor told something; what it does not know stays unknown."""
    for slot in _offers(seen.slots):
        for reading in _readings(slot):
            if not reading.get("At") or not reading.get("CounterStart"):
                continue
            yield {
                "node": slot.node,
                "device": reading["Id"],
                "at": int(reading["At"]),
                "counter_start": int(reading["CounterStart"]),
                "busy_s": reading.get("BusySeconds"),
                "measured_s": reading.get("MeasuredSeconds"),
                "joules": reading.get("Joules"),
                "energy_s": reading.get("EnergySeconds"),
                "watts": reading.get("PowerWatts"),
                "memory_mb": _whole(reading.get("MemoryUsedMb")),
                "temperature_c": _whole(reading.get("TemperatureC")),
                "clock_mhz": _whole(reading.get("ClockMhz")),
                "processes": _whole(reading.get("Processes")),
                "energy_source": SOURCES.get(str(reading.get("EnergySource", ""))),
            }


def submitter_rows(seen: Look) -> Iterator[dict[str, Any]]:
    """A row for each submitter and group."""
    for priority in seen.priorities:
        yield {
            "at": seen.at,
            "submitter": priority.name,
            "effective": priority.effective,
            "factor": priority.factor,
            "use_s": priority.weighted_hours * 3600,
            "in_use": priority.weighted_in_use,
        }


def rate(ad: Mapping[str, Any], what: str, count: int) -> float | None:
    """Average of busy devices or watts while they were measured, for all `count` devices; None: not measured."""
    return over_all(
        (
            (_figure(ad, f"{kind}{what}AverageUsage"), _figure(ad, f"{kind}{what}MeasuredAverageUsage"))
            for kind in ("GPUs", "FPGAs")
        ),
        count,
    )


def _figure(ad: Mapping[str, Any], name: str) -> float | None:
    value = ad.get(name)
    return value if isinstance(value, int | float) else None


def _offers(slots: Iterable[Slot]) -> list[Slot]:
    return [slot for slot in slots if slot.partitionable and slot.offer == "session"]


def _readings(slot: Slot) -> list[Mapping[str, Any]]:
    readings = slot.ad.get("DeviceReadings")
    return [reading for reading in readings if "Id" in reading] if isinstance(readings, list) else []


def _whole(value: object) -> int | None:
    return round(value) if isinstance(value, int | float) else None
