"""Who has which device: pure, from slot ads.

A device belongs to a primary slot (sessions) and to the backfill slot (dask, batch) of its node. During a hand-over
slots of both hold it: the session has started, the other job is saving its state.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Device, Slot


class Use(StrEnum):
    """What a device is used for."""

    FREE = "free"
    SESSION = "session"
    DASK = "dask"
    BATCH = "batch"
    HANDING_OVER = "handing over"


USE_OF = {
    PriorityClass.INTERACTIVE: Use.SESSION,
    PriorityClass.DASK: Use.DASK,
    PriorityClass.BATCH: Use.BATCH,
    None: Use.BATCH,
}


@dataclass(frozen=True)
class HeldDevice:
    """A device of a node, the session that has it, and the dask or batch job that has it or is still leaving it."""

    node: str
    device: Device
    session: Slot | None = None
    work: Slot | None = None

    @property
    def use(self) -> Use:
        """What it is used for."""
        if self.session and self.work:
            return Use.HANDING_OVER
        if self.session:
            return Use.SESSION
        return USE_OF[self.work.priority_class] if self.work else Use.FREE


def held_devices(slots: Iterable[Slot]) -> list[HeldDevice]:
    """Every device of the pool once, ordered by node, kind, model and id."""
    slots = list(slots)
    known = {(slot.node, device) for slot in slots for device in slot.devices}
    sessions: dict[tuple[str, str], Slot] = {}
    work: dict[tuple[str, str], Slot] = {}
    for slot in slots:
        if slot.claimed:
            holders = sessions if slot.offer == "session" else work
            holders.update({(slot.node, device): slot for device in slot.assigned})
    return [
        HeldDevice(node, device, sessions.get((node, device.id)), work.get((node, device.id)))
        for node, device in sorted(known)
    ]
