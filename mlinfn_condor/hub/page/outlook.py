"""What will happen to a session if it is asked for now: pure, from a snapshot.

The same analysis as `mlinfn why`, asked before the job is there. It tells the moment: others ask too.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace
from enum import StrEnum

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.hub.page.inventory import Inventory
from mlinfn_condor.hub.page.offers import draining, out_of_service
from mlinfn_condor.pool import JobState, Slot
from mlinfn_condor.submission.asks import Ask, impossible, meant_for
from mlinfn_condor.submission.devices import HeldDevice, held_devices
from mlinfn_condor.submission.holders import NOTICE_SECONDS, Place, leaves_within, place
from mlinfn_condor.submission.phrases import listed, plural
from mlinfn_condor.submission.requests import Devices
from mlinfn_condor.submission.snapshot import Snapshot

NAMED_CLASS = {
    PriorityClass.INTERACTIVE: "a guest's session",
    PriorityClass.DASK: "a Dask worker",
    PriorityClass.BATCH: "a batch job",
    None: "a batch job",
}


class Start(StrEnum):
    """When a session starts."""

    AT_ONCE = "at once"
    DISPLACES = "displaces"
    WAITS = "waits"
    CANNOT = "cannot"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Outlook:
    """What will happen, as a word for machines and a sentence for people."""

    start: Start
    sentence: str
    within_seconds: int | None = None
    """Bound on match → session with its devices; None: nobody can give one."""
    ahead: int = 0
    """Sessions that wait for the same."""
    node_comes: bool = False
    """Whether a node can be added for it."""


SILENT = Outlook(
    Start.UNKNOWN,
    "The pool does not answer at the moment, so nobody can say when your session starts. Running sessions go on; "
    "you may ask for one, and it starts when the pool is back.",
)


def ask_for(devices: Devices, cpus: int, memory_mb: int) -> Ask:
    """The request that a session's job will carry."""
    return Ask.for_devices(PriorityClass.INTERACTIVE, devices, cpus, memory_mb)


def outlook(
    snapshot: Snapshot | None,
    inventory: Inventory,
    ask: Ask,
    project: str = "",
    owners_displace_sessions: bool = False,
) -> Outlook:
    """What happens to a session that is asked for now, for `project`.

    `owners_displace_sessions` is the pool's MLINFN_OWNER_DISPLACES_SESSIONS.
    """
    if snapshot is None:
        return SILENT
    slots = [slot for slot in snapshot.slots if not (slot.partitionable and draining(slot))]
    comes = bool(snapshot.promised) and impossible(ask, snapshot.promised) is None
    if reason := impossible(ask, slots):
        if comes:
            ahead = len(_waiting_for_the_same(snapshot, ask))
            return Outlook(
                Start.WAITS, f"Waits for a node: {_none(ask)}, and one that has it is added.", None, ahead, True
            )
        return Outlook(Start.CANNOT, _cannot(reason, ask, snapshot, inventory))
    closed = out_of_service(snapshot.slots)
    held = [one for one in held_devices(snapshot.slots) if (one.node, one.device.id) not in closed]
    waiting = _waiting_for_the_same(snapshot, ask)
    places = [found for slot in meant_for(ask, slots) if (found := place(ask, project, slot, held, snapshot.now))]
    left = places
    for other in waiting:
        left = _without_what_it_takes(other, left, ask)
    waits = [(wait, one) for one in left if (wait := one.wait_seconds(ask, snapshot.now)) is not None]
    seconds, best = min(waits, key=lambda item: item[0], default=(None, None))
    if best is not None and seconds == 0 and not _missing(best, ask):
        return Outlook(Start.AT_ONCE, f"Starts at once, in a few seconds: {_room(best, ask)}.", 0, len(waiting))
    if best is not None:
        gives_way = _slowest(best.giving_way[: _missing(best, ask)], snapshot.now)
        return Outlook(Start.DISPLACES, _displaces(ask, gives_way, snapshot.now), seconds, len(waiting))
    if owners_displace_sessions and not waiting and (guest := _guest(places, ask, project)):
        bound = leaves_within(guest, snapshot.now)
        return Outlook(Start.DISPLACES, _displaces(ask, guest, snapshot.now), bound)
    said = _waits(ask, places, len(waiting), snapshot.now) + (" A node can be added for it." if comes else "")
    return Outlook(Start.WAITS, said, None, len(waiting), comes)


def _waiting_for_the_same(snapshot: Snapshot, ask: Ask) -> list[Ask]:
    """Requests of idle sessions that could take what this one wants."""
    slots = (*snapshot.promised, *snapshot.slots)
    models = {(device.kind, device.model): device for slot in slots for device in slot.devices}.values()
    wanted = [device for device in models if any(want.takes(device) for want in ask.wants)]
    idle = (
        Ask.of(job)
        for job in snapshot.jobs
        if job.state is JobState.IDLE and job.priority_class is PriorityClass.INTERACTIVE
    )
    if not ask.wants:
        return [other for other in idle if not other.wants]
    return [other for other in idle if any(want.takes(device) for want in other.wants for device in wanted)]


def _without_what_it_takes(other: Ask, places: list[Place], ask: Ask) -> list[Place]:
    """The places once a session that waits has started: it takes what is free, then what gives way."""
    for one in sorted(places, key=lambda one: -len(one.free)):
        available = (*one.free, *one.giving_way)
        fits = other.cpus <= one.slot.cpus and other.memory_mb <= one.slot.memory_mb
        if fits and other.device_count <= len(available):
            smaller = _smaller(one, other, available[: other.device_count], ask)
            return [smaller if found is one else found for found in places]
    return places


def _smaller(one: Place, other: Ask, taken: tuple[HeldDevice, ...], ask: Ask) -> Place:
    cpus, memory_mb = one.slot.cpus - other.cpus, one.slot.memory_mb - other.memory_mb
    return replace(
        one,
        slot=Slot(one.slot.name, {**one.slot.ad, "Cpus": cpus, "Memory": memory_mb}),
        free=tuple(device for device in one.free if device not in taken),
        giving_way=tuple(device for device in one.giving_way if device not in taken),
        staying=(*one.staying, *taken),
        room=cpus >= ask.cpus and memory_mb >= ask.memory_mb,
    )


def _missing(one: Place, ask: Ask) -> int:
    return max(0, ask.device_count - len(one.free))


def _slowest(giving_way: Iterable[HeldDevice], now: int) -> Slot:
    return max((one.work for one in giving_way if one.work), key=lambda slot: leaves_within(slot, now))


def _guest(places: list[Place], ask: Ask, project: str) -> Slot | None:
    """A guest's session on a device of the asker's project, large enough: a slot changes hands as it is."""
    for one in places:
        if not project or one.slot.owner_project != project:
            continue
        sessions = Counter(held.session for held in one.staying if held.session)
        for session, devices in sessions.items():
            large = devices >= ask.device_count and session.cpus >= ask.cpus and session.memory_mb >= ask.memory_mb
            if large and session.project != project:
                return session
    return None


def _room(best: Place, ask: Ask) -> str:
    if ask.wants:
        return f"{_devices(ask)} {'is' if ask.device_count == 1 else 'are'} free on {best.slot.node}"
    return f"{best.slot.node} has room for {ask.words}"


def _displaces(ask: Ask, gives_way: Slot, now: int) -> str:
    bound = leaves_within(gives_way, now)
    who = f"{NAMED_CLASS[gives_way.priority_class]} of {gives_way.user}"
    if gives_way.leaving:
        return f"Starts at once, and has its {_devices(ask)} within {bound} s: {who} is saving its state already."
    window = max(0, bound - NOTICE_SECONDS)
    return (
        f"Starts at once, and has its {_devices(ask)} within {bound} s: {who} gives way, "
        f"with at most {window} s to save its state."
    )


def _waits(ask: Ask, places: list[Place], ahead: int, now: int) -> str:
    one = ask.device_count <= 1
    before = f"{plural(ahead, 'session')} wait{'s' if ahead == 1 else ''} before yours" if ahead else "you are the next"
    if any(place.wait_seconds(ask, now) is not None for place in places):
        return f"Waits, nobody can say how long: what could serve it now is taken before, {before}."
    if not ask.wants:
        held = "no node has so many cores and so much memory left"
    elif not any(place.free or place.giving_way or place.staying for place in places):
        held = f"{_devices(ask)} {'is' if one else 'are'} out of service"
    elif one:
        held = f"each {_devices(ask)} is held by another session"
    else:
        held = f"{_devices(ask)} are not to be had together on one node"
    return f"Waits, nobody can say how long: {held}, and a session ends when its user ends it; {before}."


def _none(ask: Ask) -> str:
    if not ask.wants:
        return "none that is there could serve it"
    return f"none with {_devices(ask)} that could serve it is there"


def _cannot(reason: str, ask: Ask, snapshot: Snapshot, inventory: Inventory) -> str:
    """Why not; a device that is away is not one that the pool never had."""
    missing = [one for want in ask.wants for one in inventory.missing(snapshot) if one.model in want.requirement]
    if missing and "no node has one" in reason:
        nodes = listed(sorted({one.node for one in missing}))
        return f"Cannot start now: {_devices(ask)} is offline with {nodes}. Choose another model, or try again later."
    return f"Cannot start as it is: it {reason if reason.startswith('asks') else f'cannot, because {reason}'}."


def _devices(ask: Ask) -> str:
    if all(want.count == 1 for want in ask.wants):
        return listed(want.words.removeprefix("1 ") for want in ask.wants)
    return listed(want.words for want in ask.wants)
