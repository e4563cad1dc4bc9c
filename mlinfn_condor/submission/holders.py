"""Who is in a job's way, and for how long at most: pure.

The pool's own rules, as condor_config.d has them: a session displaces dask and batch from a device; among those two the
device's owner displaces guests, and dask displaces batch; nobody displaces a session. The displaced has its window.
"""

from dataclasses import dataclass

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Slot
from mlinfn_condor.submission.asks import Ask, has_devices
from mlinfn_condor.submission.devices import HeldDevice

DEFAULT_WINDOW_SECONDS = 30
"""MLINFN_VACATE_SECONDS; used when a slot does not tell its job's window."""
NOTICE_SECONDS = 1
"""MLINFN_CONFLICT_POLL_SECONDS: how late a startd sees that somebody has to go."""


@dataclass(frozen=True)
class Place:
    """A slot that could serve a job, and its suitable devices by what stands in the way."""

    slot: Slot
    free: tuple[HeldDevice, ...]
    giving_way: tuple[HeldDevice, ...]
    """Held by jobs that this one displaces; the shortest wait first."""
    staying: tuple[HeldDevice, ...]
    """Held by jobs that it waits for."""
    room: bool
    """Whether cores and memory are left for it beside the devices."""

    def wait_seconds(self, ask: Ask, now: int) -> int | None:
        """At most so long from the match until its devices are free: 0 if they are; None: nobody can say."""
        missing = ask.device_count - len(self.free)
        if missing <= 0:
            return 0 if self.room else None
        if missing > len(self.giving_way):
            return None
        return max(leaves_within(one.work, now) for one in self.giving_way[:missing] if one.work)


def place(ask: Ask, project: str, slot: Slot, held: list[HeldDevice], now: int) -> Place | None:
    """How the slot stands for the job; None when it lacks the devices, the size, or what runs images."""
    if (
        not has_devices(ask, slot)
        or not ask.image_runs(slot)
        or ask.cpus > ask.cpus_limit(slot)
        or ask.memory_mb > ask.memory_limit_mb(slot)
    ):
        return None
    wanted = {device.id for device in ask.suitable(slot)}
    mine = [one for one in held if one.node == slot.node and one.device.id in wanted]
    free = tuple(one for one in mine if not one.session and not one.work)
    yielding = [one for one in mine if one.work and not one.session and _yields(one.work, ask, project, slot)]
    giving_way = tuple(sorted(yielding, key=lambda one: leaves_within(one.work, now) if one.work else 0))
    staying = tuple(one for one in mine if one not in free and one not in yielding)
    # Devices bring their cores and memory along; only a slot without devices, or a session's, can be short of them.
    short = slot.cpus < ask.cpus or slot.memory_mb < ask.memory_mb
    return Place(slot, free, giving_way, staying, room=not short or (ask.offer == "opportunistic" and bool(yielding)))


def leaves_within(slot: Slot | None, now: int) -> int:
    """Seconds until the slot's job is gone at the latest, once somebody is there whom it gives way to."""
    if slot is None:
        return 0
    window = DEFAULT_WINDOW_SECONDS if slot.window_seconds is None else slot.window_seconds
    return max(0, slot.in_state_since + window - now) if slot.leaving else window + NOTICE_SECONDS


def _yields(holder: Slot, ask: Ask, project: str, slot: Slot) -> bool:
    if ask.priority_class is PriorityClass.INTERACTIVE:
        return True
    return _rank(ask.priority_class, project, slot) > _rank(holder.priority_class, holder.project, slot)


def _rank(priority_class: PriorityClass | None, project: str, slot: Slot) -> tuple[bool, bool]:
    owner = bool(project) and project == slot.owner_project
    return owner, priority_class is PriorityClass.DASK
