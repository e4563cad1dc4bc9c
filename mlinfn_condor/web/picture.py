"""What a viewer sees of nodes and devices: pure, from slots and submitters."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlinfn_condor.pool import Slot, Submitter
from mlinfn_condor.submission.devices import HeldDevice, Use, held_devices
from mlinfn_condor.submission.holders import leaves_within

Busy = Callable[[str, Mapping[str, Any]], int | None]
"""Node and a device's reading → percent of the time that it computed lately; None: nobody knows."""
BROKEN = "broken"
UNCLASSIFIED = "none"
WATT_STEP = 5
"""Power is shown in such steps: a fan's turn is no news for everybody's browser."""


@dataclass(frozen=True)
class Tile:
    """One device. Times are epoch seconds; empty or None is what nobody knows."""

    id: str
    model: str
    simulated: bool
    use: str
    user: str = ""
    project: str = ""
    job: str = ""
    since: int = 0
    busy_percent: int | None = None
    watts: int | None = None
    leaving: str = ""
    """Who saves his state there before he goes, during a hand-over."""
    gone_by: int = 0
    """When he is gone at the latest."""
    reason: str = ""
    """Why it is broken."""


@dataclass(frozen=True)
class Node:
    """One node with its devices, and the jobs that have none."""

    name: str
    tiles: tuple[Tile, ...]
    cpus: int
    cpus_free: int
    others: int
    """Jobs on it that hold no device."""


@dataclass(frozen=True)
class QueueCount:
    """Jobs of a class and project, as the access points told the collector."""

    priority_class: str
    project: str
    running: int
    idle: int
    held: int


@dataclass(frozen=True)
class Picture:
    """Nodes and counts of the moment `at` (epoch seconds)."""

    at: float
    nodes: tuple[Node, ...]
    counts: tuple[QueueCount, ...]
    cpu_seconds: float = 0
    """What the look took of the CPU."""


def picture(slots: Sequence[Slot], submitters: Iterable[Submitter], busy: Busy, now: float) -> Picture:
    """Every device of every node once, by node; every class and project that has jobs."""
    readings = {
        (slot.node, str(one["Id"])): one
        for slot in slots
        for one in _list(slot.ad.get("DeviceReadings"))
        if "Id" in one
    }
    tiles: dict[str, list[Tile]] = {}
    for held in held_devices(slots):
        reading = readings.get((held.node, held.device.id), {})
        tiles.setdefault(held.node, []).append(_tile(held, reading, busy(held.node, reading), int(now)))
    names = sorted({slot.node for slot in slots})
    by_node: dict[str, list[Slot]] = {name: [] for name in names}
    for slot in slots:
        by_node[slot.node].append(slot)
    nodes = tuple(_node(name, by_node[name], tiles.get(name, [])) for name in names)
    return Picture(now, nodes, tuple(_counts(submitters)))


def _tile(held: HeldDevice, reading: Mapping[str, Any], busy: int | None, now: int) -> Tile:
    holder = held.session or held.work
    watts = reading.get("PowerWatts")
    tile = Tile(
        id=held.device.id,
        model=held.device.model,
        simulated=held.device.simulated,
        use=BROKEN if reading.get("Health") == BROKEN else held.use.value,
        user=holder.user if holder else "",
        project=holder.project if holder else "",
        job=str(holder.job or "") if holder else "",
        since=holder.since if holder else 0,
        busy_percent=busy,
        watts=WATT_STEP * round(watts / WATT_STEP) if isinstance(watts, int | float) else None,
        reason=str(reading.get("Reason", "")) if reading.get("Health") == BROKEN else "",
    )
    going = held.work
    if going is None or not (going.leaving or held.use is Use.HANDING_OVER):
        return tile
    kind = going.priority_class.value if going.priority_class else UNCLASSIFIED
    gone_by = going.in_state_since + (going.window_seconds or 0) if going.leaving else now + leaves_within(going, now)
    shown = BROKEN if tile.use == BROKEN else Use.HANDING_OVER.value
    return Tile(**{**vars(tile), "use": shown, "leaving": f"{kind} of {going.user}", "gone_by": gone_by})


def _node(name: str, slots: Sequence[Slot], tiles: Sequence[Tile]) -> Node:
    # Primary and backfill slots give out the same cores: those of one side are counted.
    whole = [slot for slot in slots if slot.partitionable and slot.offer != "opportunistic"]
    others = sum(slot.claimed and not slot.assigned for slot in slots)
    cpus, free = sum(slot.total_cpus for slot in whole), sum(slot.cpus for slot in whole)
    return Node(name, tuple(tiles), cpus, free, others)


def _counts(submitters: Iterable[Submitter]) -> Iterable[QueueCount]:
    sums: dict[tuple[str, str], list[int]] = {}
    for each in submitters:
        if each.priority_class or each.idle or each.running or each.held:
            key = (each.priority_class.value if each.priority_class else UNCLASSIFIED, each.project)
            for place, many in enumerate((each.running, each.idle, each.held)):
                sums.setdefault(key, [0, 0, 0])[place] += many
    order = {"interactive": 0, "dask": 1, "batch": 2}
    for (kind, project), counted in sorted(sums.items(), key=lambda one: (order.get(one[0][0], 9), one[0][1])):
        if any(counted):
            yield QueueCount(kind, project, *counted)


def _list(value: object) -> list[Mapping[str, Any]]:
    return value if isinstance(value, list) else []
