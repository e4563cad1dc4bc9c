"""Why a job does not run, in words a physicist understands: pure, from a snapshot."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobNotFound
from mlinfn_condor.pool import Job, JobId, JobState
from mlinfn_condor.submission import outcomes
from mlinfn_condor.submission.asks import Ask, meant_for, never
from mlinfn_condor.submission.devices import HeldDevice, held_devices
from mlinfn_condor.submission.fairshare import standing
from mlinfn_condor.submission.holders import Place, leaves_within, place
from mlinfn_condor.submission.phrases import clock, counted, listed, plural, span
from mlinfn_condor.submission.snapshot import Snapshot

SHOWN_HOLDERS = 6
"""Holders named one by one for each slot; the rest is counted."""


@dataclass(frozen=True)
class Nodes:
    """What whoever adds nodes to the pool says of the job."""

    sentence: str
    come: bool
    """Whether one is on its way."""


@dataclass(frozen=True)
class Answer:
    """What `mlinfn why` says. The headline alone answers the question; the lines tell the reasons."""

    job: JobId
    headline: str
    lines: tuple[str, ...]
    starts_within_seconds: int | None
    """Bound on match → start with its devices; None when nobody can give one, or it has started or ended."""


def why(snapshot: Snapshot, job_id: JobId, nodes: Nodes | None = None, last_words: str = "") -> Answer:
    """The answer for one job of the snapshot, in a pool to which nodes may be added. Raises JobNotFound.

    `last_words` are those that a job which failed wrote to its errors.
    """
    job = snapshot.job(job_id)
    if job is None:
        raise JobNotFound(f"{job_id.access_point} knows no job {job_id.local}: `mlinfn status` lists those it has")
    held = held_devices(snapshot.slots)
    if job.state is not JobState.IDLE:
        headline, *lines = outcomes.sentences(snapshot, job, held)
        lines += [f"Its last words: {last_words}"] if last_words else []
        return Answer(job_id, headline, tuple(lines), None)
    ask = Ask.of(job)
    asks = f"It asks {ask.words}, as {ask.priority_class.value}" + (
        f" for project {job.project}." if job.project else "."
    )
    added = (nodes.sentence,) if nodes else ()
    if reason := never(ask, snapshot.slots):
        never_starts = f"{job_id} will never start as it is: it {reason}."
        headline = f"{job_id} waits for a node that is being added." if nodes and nodes.come else never_starts
        return Answer(job_id, headline, (asks, *added, *_past(job)), None)
    places = _places(job, ask, snapshot, by_node(held))
    bound = _bound(places, ask, snapshot.now)
    told = (_place(one, ask, snapshot.now) for one in places)
    reasons = (asks, *told, *added, _turn(snapshot, job), *_past(job))
    return Answer(job_id, f"{job_id} waits: {_verdict(ask, places, bound, snapshot.now)}", reasons, bound)


def by_node(held: Iterable[HeldDevice]) -> dict[str, list[HeldDevice]]:
    """The devices of each node."""
    found: dict[str, list[HeldDevice]] = {}
    for one in held:
        found.setdefault(one.node, []).append(one)
    return found


def reason(snapshot: Snapshot, job: Job, held: Mapping[str, list[HeldDevice]]) -> str:
    """What an idle job waits for, in a sentence that does not name it: true of all jobs that ask the same.

    `held`: the devices of each node.
    """
    ask = Ask.of(job)
    if impossible := never(ask, snapshot.slots):
        return f"never starts as it is: it {impossible}."
    places = _places(job, ask, snapshot, held)
    return _verdict(ask, places, _bound(places, ask, snapshot.now), snapshot.now)


def _places(job: Job, ask: Ask, snapshot: Snapshot, held: Mapping[str, list[HeldDevice]]) -> list[Place]:
    slots = meant_for(ask, snapshot.slots)
    there = ((slot, held.get(slot.node, [])) for slot in slots)
    return [found for slot, on_node in there if (found := place(ask, job.project, slot, on_node, snapshot.now))]


def _bound(places: list[Place], ask: Ask, now: int) -> int | None:
    return min((wait for one in places if (wait := one.wait_seconds(ask, now)) is not None), default=None)


def _verdict(ask: Ask, places: list[Place], bound: int | None, now: int) -> str:
    if bound == 0:
        return (
            "there is room for it, and it starts when its turn comes in one of the next negotiation cycles (seconds)."
        )
    if bound is not None:
        best = next(one for one in places if one.wait_seconds(ask, now) == bound)
        victim = _slowest(best, ask, now)
        starts = "it starts at once and has its device" if ask.offer == "session" else "it starts"
        return f"{starts} at most {bound} s after the match, because {victim}."
    if ask.priority_class is PriorityClass.INTERACTIVE:
        return "no bound: what it needs is held by other sessions, and a session ends when its user ends it."
    if ask.priority_class is PriorityClass.DASK:
        return "no bound: what it needs is held by sessions and by jobs that it does not displace."
    return "no bound: batch takes what the others leave, and nothing of it is free now."


def _slowest(best: Place, ask: Ask, now: int) -> str:
    chosen = best.giving_way[: ask.device_count - len(best.free)]
    slot = max((one.work for one in chosen if one.work), key=lambda slot: leaves_within(slot, now))
    kind = slot.priority_class.value if slot.priority_class else "unclassified"
    if slot.leaving:
        return f"{kind} job {slot.job} of {slot.user} is saving its state there already"
    return f"a {kind} job with a window of {leaves_within(slot, now) - 1} s holds it"


def _place(one: Place, ask: Ask, now: int) -> str:
    if not ask.wants:
        left = f"{plural(one.slot.cpus, 'core')} and {one.slot.memory_mb} MB left of {one.slot.total_cpus} cores"
        return f"{one.slot.node} could serve it: {left}{'' if one.room else ', too little now'}."
    all_suitable = [*one.free, *one.giving_way, *one.staying]
    parts = [f"{counted(held.device for held in all_suitable)}"]
    if one.free:
        parts.append(f"{len(one.free)} free" + ("" if one.room else ", but too few cores or too little memory beside"))
    parts += _holders(one.giving_way, "gives way within", now)
    parts += _holders(one.staying, "", now)
    return f"{one.slot.node} could serve it: {'; '.join(parts)}."


def _holders(held: tuple[HeldDevice, ...], gives_way: str, now: int) -> list[str]:
    shown = []
    for one in held[:SHOWN_HOLDERS]:
        slot = one.session or one.work
        if slot is None:
            continue
        kind = slot.priority_class.value if slot.priority_class else "unclassified"
        way = f", {gives_way} {leaves_within(slot, now)} s" if gives_way else ", stays"
        shown.append(
            f"{one.device.model} held by {kind} job {slot.job} of {slot.user} since {clock(slot.since, now)}{way}"
        )
    return shown + ([f"and {len(held) - SHOWN_HOLDERS} more"] if len(held) > SHOWN_HOLDERS else [])


def _turn(snapshot: Snapshot, job: Job) -> str:
    mine = standing(snapshot, job)
    kind = job.priority_class.value if job.priority_class else "unclassified"
    waited = f"It is idle for {span(snapshot.now - job.since)}"
    if mine.of == 1:
        return f"{waited} and the only idle {kind} job."
    if mine.place == 1:
        return f"{waited} and first of {mine.of} idle {kind} jobs."
    ahead = listed(f"{user} with {count}" for user, count in mine.ahead[:3])
    return f"{waited} and about number {mine.place} of {mine.of} idle {kind} jobs by fair share; before it: {ahead}."


def _past(job: Job) -> list[str]:
    starts = job.ad.get("NumJobStarts")
    if not isinstance(starts, int) or starts < 1:
        return []
    return [f"It has run {plural(starts, 'time')} already and goes on from the state that it saved."]
