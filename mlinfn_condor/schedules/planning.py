"""Which due times get a run, and which waiting runs start; pure.

Invariants: each due time is looked at in exactly one plan, because plans follow each other without a gap
(`after` of one is `until` of the one before); a due time gets one run or none; of a schedule that may not overlap at
most one run starts while none is active.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from itertools import takewhile

from mlinfn_condor.schedules.rules import Rule

LOOK_BACK = timedelta(days=31)
"""What was missed longer ago is forgotten: a site that was away for a year does not count its minutes."""


class Misfire(StrEnum):
    """What becomes of due times that nobody was there for."""

    SKIP = "skip"
    """Nothing."""
    ONCE = "once"
    """One run for all of them."""
    ALL = "all"
    """A run for each of the latest ones, up to a bound."""


@dataclass(frozen=True)
class Lateness:
    """What is late, and what that means."""

    misfire: Misfire = Misfire.ONCE
    grace: timedelta = timedelta(minutes=1)
    """Until then a due time is not missed."""
    catch_up: int = 10
    """Most of the missed that ALL runs."""


@dataclass(frozen=True)
class Planned:
    """The due times in (after, until] that get a run, and how many get none."""

    runs: tuple[datetime, ...]
    missed: int
    until: datetime


def plan(rule: Rule, lateness: Lateness, after: datetime, now: datetime) -> Planned:
    """Look at all due times since the plan before."""
    after = max(after, now - LOOK_BACK)
    if now <= after:
        return Planned((), 0, after)
    wanted = {Misfire.SKIP: 0, Misfire.ONCE: 1, Misfire.ALL: lateness.catch_up}[lateness.misfire]
    late: deque[datetime] = deque(maxlen=wanted)
    prompt: list[datetime] = []
    count = 0
    for due in takewhile(lambda due: due <= now, rule.after(after)):
        count += 1
        (prompt if now - due <= lateness.grace else late).append(due)
    if lateness.misfire is Misfire.ONCE and prompt:
        late.clear()
    runs = (*late, *prompt)
    return Planned(runs, count - len(runs), now)


@dataclass(frozen=True, order=True)
class Waiting:
    """A run that has not started."""

    due_at: datetime
    attempt: int
    start_at: datetime


@dataclass(frozen=True)
class Choice:
    """Which start now, in this order, and which never do."""

    start: tuple[Waiting, ...] = ()
    skip: tuple[Waiting, ...] = ()


def choose(waiting: Iterable[Waiting], active: int, lateness: Lateness, now: datetime, *, overlap: bool) -> Choice:
    """Of one schedule's waiting runs. `active`: how many were submitted and have not ended."""
    ready: Sequence[Waiting] = sorted(one for one in waiting if one.start_at <= now)
    if overlap or not ready:
        return Choice(tuple(ready))
    if lateness.misfire is Misfire.ALL:
        kept = ready[-max(1, lateness.catch_up) :]
        return Choice(() if active else (kept[0],), tuple(ready[: -len(kept)]))
    # One that waited for its turn is as late as one that was missed: the newest stands for all of them.
    *older, newest = ready
    if active:
        overdue = lateness.misfire is Misfire.SKIP and now - newest.start_at > lateness.grace
        return Choice((), (*older, newest) if overdue else tuple(older))
    return Choice((newest,), tuple(older))
