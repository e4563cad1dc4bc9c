"""A new schedule, checked before it reaches the book."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise
from typing import Any

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.planning import Misfire
from mlinfn_condor.schedules.rules import Cron, Every, Rule
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.submission.requests import TrainingRequest

NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
LOOKED_AT = 200
"""Due times whose distance is looked at: a day of every seven minutes."""


@dataclass(frozen=True)
class Wish:
    """What somebody wants to run again and again; all durations in seconds."""

    owner: str
    name: str
    kind: str
    spec: str
    request: TrainingRequest
    zone: str = "UTC"
    misfire: Misfire = Misfire.ONCE
    grace: int = 60
    catch_up: int = 10
    jitter: int = 0
    overlap: bool = False
    retries: int = 0
    retry_pause: int = 60
    least: int = 1
    at_latest: int | None = None
    mark: str = ""
    """Where data begins to be new."""
    declared_in: str = ""
    """The site whose file declares it."""


def add(book: Book, wish: Wish, settings: SchedulesSettings, now: datetime | None = None) -> int:
    """Write it into the book; its number. Raises BadRequest with every mistake."""
    return book.add(values(wish, settings, now), settings.per_user)


def values(wish: Wish, settings: SchedulesSettings, now: datetime | None = None) -> Mapping[str, Any]:
    """What the book keeps of it. Raises BadRequest with every mistake."""
    now = now or datetime.now(UTC)
    mistakes = [*_mistakes(wish), *_too_often(wish, settings, now)]
    if mistakes:
        raise BadRequest("; ".join(mistakes))
    return {
        "owner": wish.owner, "name": wish.name, "kind": wish.kind, "spec": wish.spec, "zone": wish.zone,
        "misfire": wish.misfire.value, "grace_s": wish.grace, "catch_up": wish.catch_up, "jitter_s": wish.jitter,
        "overlap": wish.overlap, "retries": wish.retries, "retry_s": wish.retry_pause, "least": wish.least,
        "at_latest_s": wish.at_latest, "now": now, "mark": wish.mark, "declared_in": wish.declared_in,
        "job": dict(wish.request.parameters()),
    }  # fmt: skip


def _mistakes(wish: Wish) -> list[str]:
    least = {"grace": 1, "catch_up": 1, "jitter": 0, "retries": 0, "retry_pause": 1, "least": 1}
    mistakes = [
        f"{name} is {value}: at least {low}" for name, low in least.items() if (value := getattr(wish, name)) < low
    ]
    if not NAME.fullmatch(wish.name):
        mistakes.append(f"name is {wish.name!r}: small letters, digits and hyphens, 40 at most")
    if wish.overlap and wish.kind in ("rows", "commits"):
        mistakes.append("overlap: runs that data starts come one after the other, so that nothing is in two of them")
    if wish.at_latest is not None and wish.at_latest < 1:
        mistakes.append(f"at_latest is {wish.at_latest}: at least 1")
    if wish.request.count != 1:
        mistakes.append("count: a run is one job; add a schedule for each")
    return mistakes


def _too_often(wish: Wish, settings: SchedulesSettings, now: datetime) -> list[str]:
    rule = rule_of(wish, now)
    if rule is None:
        return []
    times = list(islice(rule.after(now), LOOKED_AT))
    if not times:
        return [f"{wish.kind}: {wish.spec!r} is never due"]
    closest = min((second - first for first, second in pairwise(times)), default=timedelta.max)
    if closest < timedelta(seconds=settings.least_seconds):
        return [f"{wish.kind}: due every {closest.total_seconds():g} s; at least {settings.least_seconds} s apart"]
    return (
        [f"jitter is {wish.jitter}: the next one is due by then"] if closest <= timedelta(seconds=wish.jitter) else []
    )


def rule_of(wish: Wish, now: datetime) -> Rule | None:
    """Its rule; None for one that data starts. Raises BadRequest."""
    if wish.kind == "cron":
        return Cron(wish.spec, wish.zone)
    return Every(int(wish.spec), now) if wish.kind == "every" else None
