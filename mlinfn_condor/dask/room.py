"""How many workers of one shape could start now: pure, from slot ads.

A count for one cluster, not a promise: others ask at the same time, and fair share decides between them.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Addable, Slot
from mlinfn_condor.submission.devices import Use, held_devices
from mlinfn_condor.submission.requests import Devices

MEMORY_STEP_MB = 128
"""Requests are rounded up to it (66-round-requests-to-device-shapes.conf)."""


NO_DEVICES = Devices()


@dataclass(frozen=True)
class Shape:
    """What one worker's job asks for."""

    cpus: int
    memory_mb: int
    devices: Devices = NO_DEVICES

    def fits(self, cpus: int, memory_mb: int) -> int:
        """How many of it go into so much."""
        rounded = -(-self.memory_mb // MEMORY_STEP_MB) * MEMORY_STEP_MB
        return max(0, min(cpus // max(1, self.cpus), memory_mb // max(1, rounded)))


def room(slots: Iterable[Slot], shape: Shape) -> int:
    """Workers that could start now: on what is free, and on what batch holds, which gives way to dask."""
    slots = list(slots)
    return _with_devices(slots, shape) if shape.devices.count else _without(slots, shape)


def to_come(nodes: Iterable[Addable], shape: Shape) -> int:
    """Workers that one more node takes, of the kind that takes most of them; 0: none that suits can be added."""
    return max((_on(node, shape) for node in nodes), default=0)


def _on(node: Addable, shape: Shape) -> int:
    wanted = shape.devices
    if not wanted.count:
        return 0 if node.devices else shape.fits(node.cpus, node.memory_mb)
    if node.kind is not wanted.kind or wanted.model not in (None, node.model):
        return 0
    fits = shape.fits(wanted.count * node.cpus, wanted.count * node.memory_mb)
    return node.devices // wanted.count if fits else 0


def _without(slots: list[Slot], shape: Shape) -> int:
    work = [slot for slot in slots if slot.offer == "work"]
    free = sum(shape.fits(slot.cpus, slot.memory_mb) for slot in work if slot.partitionable)
    return free + sum(1 for slot in work if _gives_way(slot) and shape.fits(slot.cpus, slot.memory_mb))


def _with_devices(slots: list[Slot], shape: Shape) -> int:
    shapes = {slot.node: slot for slot in slots if slot.offer == "opportunistic" and slot.partitionable}
    wanted = shape.devices
    found: Counter[tuple[str, str]] = Counter()
    for one in held_devices(slots):
        suits = one.device.kind is wanted.kind and wanted.model in (None, one.device.model)
        if suits and (one.use is Use.FREE or (one.session is None and one.work and _gives_way(one.work))):
            found[one.node, one.device.model] += 1
    return sum(
        count // wanted.count
        for (node, _), count in found.items()
        if node in shapes and _within(shapes[node], shape, wanted.count)
    )


def _within(slot: Slot, shape: Shape, devices: int) -> bool:
    return bool(shape.fits(devices * slot.device_cpus, devices * slot.device_memory_mb))


def _gives_way(slot: Slot) -> bool:
    """Batch, but for that of an owner on his own devices."""
    guest = not slot.owner_project or slot.owner_project != slot.project
    return slot.claimed and not slot.leaving and slot.priority_class is PriorityClass.BATCH and guest
