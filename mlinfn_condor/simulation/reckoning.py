"""Who had what, waited how long, and lost what: from what ran, in simulated seconds. Pure.

Invariants: a device's second counts once, for who was there first; claimed = kept + not kept; shares add up to 100.
"""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.simulation.expecting import fair
from mlinfn_condor.simulation.trace import EVICTED, Job, Run
from mlinfn_condor.simulation.workload import Submit

HOUR = 3600.0
COURSE_PARTS = 160


@dataclass(frozen=True)
class Played:
    """A job of the workload, and what became of it. Times are simulated seconds."""

    submit: Submit
    job: Job
    kept: tuple[tuple[float, float], ...] = ()
    """When it saved its work, and how many seconds of work that is in all."""

    @property
    def waited(self) -> float | None:
        """Until its first start; None: it has not started."""
        return self.job.runs[0].start - self.job.submitted if self.job.runs else None

    def over_at(self, horizon: float) -> float:
        """When it wanted nothing any more."""
        ends = [run.until(horizon) for run in self.job.runs]
        return max(ends, default=horizon) if self.job.over else horizon

    def kept_in(self, run: Run, horizon: float) -> float:
        """Seconds of work of an attempt that nobody has to do again; one that still runs has lost nothing yet."""
        if run.end is None or run.end > horizon:
            return horizon - run.start
        before = max((work for at, work in self.kept if at <= run.start), default=0.0)
        after = max((work for at, work in self.kept if at <= run.end), default=0.0)
        return min(run.end - run.start, after - before)


@dataclass(frozen=True)
class ProjectFigures:
    """One project. Hours are device-hours of the simulated time."""

    project: str
    pledged_devices: int
    device_h: float
    kept_h: float
    share_percent: float | None
    """Of all device-hours while more was asked for than there is; None: that was never so."""
    expected_percent: float | None
    """What the contracts let it expect of them."""
    userprio_percent: float | None
    """Its part of all that the negotiator charged, over the whole time."""
    device_percent: float | None
    """Its part of all device-hours, over the whole time: to be compared with the negotiator's."""


@dataclass(frozen=True)
class ClassFigures:
    """One class. Waits are from submit to the first start, simulated seconds, of jobs that started."""

    priority_class: str
    jobs: int
    started: int
    completed: int
    median_wait_s: float | None
    p95_wait_s: float | None
    worst_wait_s: float | None
    waits_still_s: float | None
    """How long the one has waited that waits longest and has not started; None: all have."""
    evictions: int
    lost_h: float
    """Device-hours that were claimed in evicted attempts and not kept."""


@dataclass(frozen=True)
class Outcome:
    """All of it."""

    span_h: float
    contended_h: float
    """Of the simulated time, in which more devices were asked for than there are."""
    claimed_h: float
    kept_h: float
    kept_percent: float | None
    evictions: int
    lost_h: float
    projects: tuple[ProjectFigures, ...]
    classes: tuple[ClassFigures, ...]
    course: tuple[Mapping[str, float], ...]
    """Devices in use, by project, on the average of each part of the span; `at_h` is its middle."""

    def as_json(self) -> dict[str, Any]:
        """For programs."""
        return asdict(self)


def reckon(
    played: Sequence[Played],
    capacity: int,
    pledges: Mapping[str, int],
    charged: Mapping[str, float],
    horizon: float,
) -> Outcome:
    """The outcome up to the horizon. `charged`: what the negotiator says that each project used, in any unit."""
    held = _held(played, horizon)
    kept = {
        (index, number): one.kept_in(run, horizon) * len(run.devices)
        for index, one in enumerate(played)
        for number, run in enumerate(one.job.runs)
        if run.start < horizon
    }
    # A session that waits for its device keeps nothing of what another still had.
    kept = {key: min(value, held[key].seconds) for key, value in kept.items()}
    sweep = _sweep(played, held, capacity, pledges, horizon)
    claimed = sum(one.seconds for one in held.values())
    projects = sorted({one.submit.project for one in played} | set(pledges))
    by_project = {
        project: tuple(key for key in held if played[key[0]].submit.project == project) for project in projects
    }
    lost = {key: held[key].seconds - kept[key] for key in held if played[key[0]].job.runs[key[1]].outcome == EVICTED}
    return Outcome(
        horizon / HOUR,
        sweep.contended / HOUR,
        claimed / HOUR,
        sum(kept.values()) / HOUR,
        _percent(sum(kept.values()), claimed),
        len(lost),
        sum(lost.values()) / HOUR,
        tuple(
            ProjectFigures(
                project,
                pledges.get(project, 0),
                sum(held[key].seconds for key in by_project[project]) / HOUR,
                sum(kept[key] for key in by_project[project]) / HOUR,
                _percent(sweep.had.get(project, 0.0), sum(sweep.had.values())),
                _percent(sweep.due.get(project, 0.0), sum(sweep.due.values())),
                _percent(charged.get(project, 0.0), sum(charged.values())),
                _percent(sum(held[key].seconds for key in by_project[project]), claimed),
            )
            for project in projects
        ),
        tuple(_class(each, played, lost, horizon) for each in PriorityClass if _of(each, played)),
        sweep.course,
    )


@dataclass(frozen=True)
class _Held:
    """What an attempt held: of each device from when to when, after those who were there before."""

    spans: tuple[tuple[float, float], ...]

    @property
    def seconds(self) -> float:
        return sum(end - start for start, end in self.spans)


def _held(played: Sequence[Played], horizon: float) -> dict[tuple[int, int], _Held]:
    attempts = sorted(
        (
            (run.start, index, number, run)
            for index, one in enumerate(played)
            for number, run in enumerate(one.job.runs)
        ),
        key=lambda attempt: attempt[:3],
    )
    free: dict[str, float] = {}
    found = {}
    for start, index, number, run in attempts:
        if start >= horizon:
            continue
        spans = []
        for device in run.devices:
            since = max(start, free.get(device, 0.0))
            until = max(since, run.until(horizon))
            free[device] = until
            spans.append((since, until))
        found[index, number] = _Held(tuple(spans))
    return found


@dataclass(frozen=True)
class _Sweep:
    contended: float
    had: dict[str, float]
    due: dict[str, float]
    course: tuple[dict[str, float], ...]


def _sweep(
    played: Sequence[Played],
    held: Mapping[tuple[int, int], _Held],
    capacity: int,
    pledges: Mapping[str, int],
    horizon: float,
) -> _Sweep:
    """Through the time, from one change to the next."""
    changes: dict[float, list[tuple[str, str, int]]] = defaultdict(list)
    for one in played:
        kind = "session" if one.submit.priority_class is PriorityClass.INTERACTIVE else "other"
        begin, over = one.job.submitted, one.over_at(horizon)
        if one.submit.devices and begin < min(over, horizon):
            changes[begin].append((kind, one.submit.project, one.submit.devices))
            changes[over].append((kind, one.submit.project, -one.submit.devices))
    for (index, _), holding in held.items():
        for start, end in holding.spans:
            if start < end:
                changes[start].append(("held", played[index].submit.project, 1))
                changes[end].append(("held", played[index].submit.project, -1))
    now: dict[str, dict[str, int]] = {kind: defaultdict(int) for kind in ("session", "other", "held")}
    contended, had, due = 0.0, defaultdict[str, float](float), defaultdict[str, float](float)
    width = horizon / COURSE_PARTS
    course = [{"at_h": (part + 0.5) * width / HOUR} for part in range(COURSE_PARTS)]
    times = sorted({*changes, 0.0, horizon})
    for begin, end in pairwise(times):
        for kind, project, count in changes.get(begin, ()):
            now[kind][project] += count
        end = min(end, horizon)
        if begin >= end or end <= 0:
            continue
        _draw(course, now["held"], max(begin, 0.0), end, width)
        if sum(now["session"].values()) + sum(now["other"].values()) > capacity:
            contended += end - begin
            for project, devices in _due(now["session"], now["other"], capacity, pledges).items():
                due[project] += devices * (end - begin)
            for project, devices in now["held"].items():
                had[project] += devices * (end - begin)
    return _Sweep(contended, had, due, tuple(course))


def _due(
    sessions: Mapping[str, int], others: Mapping[str, int], capacity: int, pledges: Mapping[str, int]
) -> dict[str, float]:
    """Sessions come first; the pledges are about what they leave."""
    first = fair(capacity, {}, sessions)
    then = fair(capacity - sum(first.values()), pledges, others)
    return {project: first.get(project, 0.0) + then.get(project, 0.0) for project in first.keys() | then.keys()}


def _draw(course: list[dict[str, float]], held: Mapping[str, int], begin: float, end: float, width: float) -> None:
    for part in range(int(begin / width), min(len(course), math.ceil(end / width))):
        inside = min(end, (part + 1) * width) - max(begin, part * width)
        for project, devices in held.items():
            if devices and inside > 0:
                course[part][project] = course[part].get(project, 0.0) + devices * inside / width


def _of(each: PriorityClass, played: Iterable[Played]) -> list[Played]:
    return [one for one in played if one.submit.priority_class is each]


def _class(
    each: PriorityClass, played: Sequence[Played], lost: Mapping[tuple[int, int], float], horizon: float
) -> ClassFigures:
    mine = _of(each, played)
    waits = sorted(one.waited for one in mine if one.waited is not None)
    still = [horizon - one.job.submitted for one in mine if one.waited is None and not one.job.over]
    here = [key for key in lost if played[key[0]].submit.priority_class is each]
    return ClassFigures(
        each.value,
        len(mine),
        len(waits),
        sum(bool(one.job.runs) and one.job.runs[-1].outcome == "completed" for one in mine),
        median(waits) if waits else None,
        waits[math.ceil(0.95 * len(waits)) - 1] if waits else None,
        waits[-1] if waits else None,
        max(still, default=None),
        len(here),
        sum(lost[key] for key in here) / HOUR,
    )


def _percent(part: float, whole: float) -> float | None:
    return 100 * part / whole if whole > 0 else None
