"""Schedules that a file declares: what it says is made so, what it says no more is removed."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor import settings_file
from mlinfn_condor.errors import BadRequest, MlinfnError
from mlinfn_condor.schedules import arrivals, asking
from mlinfn_condor.schedules.asking import Wish
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.planning import Misfire
from mlinfn_condor.schedules.runs import Schedule
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.store import Error
from mlinfn_condor.submission.requests import Devices, Identity, TrainingRequest

STEADY = (
    "kind", "spec", "zone", "misfire", "grace_s", "catch_up", "jitter_s", "overlap", "retries", "retry_s", "least",
    "at_latest_s", "job",
)  # fmt: skip
"""What makes two wishes the same."""


class DeclaredSchedule(BaseModel):
    """`[[schedules]]`: what `mlinfn schedule add` has as options, and whose it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Identity
    """In whose name it runs."""
    name: str
    """Small letters, digits, hyphens; told apart by owner and name."""
    command: list[str] = Field(min_length=1)
    """What to run, a word an entry."""
    folder: Path
    """Where it runs and writes; access point and nodes see it."""
    cron: str | None = None
    """When: minute hour day month weekday, as in crontab."""
    every: int | None = None
    """Seconds."""
    rows: str | None = None
    """Or: by new rows of this table."""
    commits: str | None = None
    """Or: by new commits, `URL BRANCH`."""
    zone: str = Wish.zone
    """Time zone of cron."""
    misfire: Misfire = Wish.misfire
    """What becomes of due times that nobody was there for."""
    grace: int = Wish.grace
    """Seconds after which a due time counts as missed."""
    catch_up: int = Wish.catch_up
    """Of the missed ones `all` runs so many."""
    jitter: int = Wish.jitter
    """Start up to so many seconds later, so that not all start at once."""
    overlap: bool = Wish.overlap
    """Also while the run before still runs."""
    retries: int = Wish.retries
    """How often a run that fails is tried again."""
    retry_pause: int = Wish.retry_pause
    """Seconds until then; doubles each time."""
    least: int = Wish.least
    """With rows: so many new ones start a run."""
    at_latest: int | None = Wish.at_latest
    """With rows: or any, so many seconds after the run before."""
    cpus: int = 1
    """Cores."""
    memory_mb: int = 2048
    """Memory, MiB."""
    gpus: int = 0
    """GPUs."""
    model: str | None = None
    """Device model; any if not given."""
    project: str | None = None
    """Project to account it on; the owner's first if not given."""

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(each is not None for each in (self.cron, self.every, self.rows, self.commits)) != 1:
            raise ValueError("say when, in one way: cron, every, rows or commits")
        return self

    def wish(self, declared_in: str) -> Wish:
        """Raises BadRequest."""
        asked = {"cron": self.cron, "every": self.every, "rows": self.rows, "commits": self.commits}
        ((kind, spec),) = ((kind, str(spec)) for kind, spec in asked.items() if spec is not None)
        request = TrainingRequest(
            command=self.command, cpus=self.cpus, memory_mb=self.memory_mb, folder=self.folder, project=self.project,
            devices=Devices(count=self.gpus, model=self.model),
        )  # fmt: skip
        return Wish(
            owner=self.owner, name=self.name, kind=kind, spec=spec, request=request, zone=self.zone,
            misfire=self.misfire, grace=self.grace, catch_up=self.catch_up, jitter=self.jitter, overlap=self.overlap,
            retries=self.retries, retry_pause=self.retry_pause, least=self.least, at_latest=self.at_latest,
            declared_in=declared_in,
        )  # fmt: skip


class _File(BaseModel):
    model_config = ConfigDict(extra="ignore")
    schedules: list[DeclaredSchedule] = []


@dataclass(frozen=True)
class Changes:
    """What makes the book as the file has it; each by owner and name."""

    add: list[Mapping[str, Any]]
    change: list[Mapping[str, Any]]
    remove: list[tuple[str, str]]

    def __bool__(self) -> bool:
        return bool(self.add or self.change or self.remove)


def read(path: Path, declared_in: str) -> list[Wish]:
    """The wishes of `[[schedules]]`; other tables belong to others. Raises BadRequest with every mistake."""
    told = settings_file.read(path, _File)
    wishes, mistakes = [], []
    for one in told.schedules:
        try:
            wishes.append(one.wish(declared_in))
        except BadRequest as error:
            mistakes.append(f"{one.owner}'s {one.name}: {error}")
    mistakes += [f"{owner}'s {name} is there twice" for owner, name in _twice(wishes)]
    if mistakes:
        raise settings_file.refusal(str(path), mistakes)
    return wishes


def changes(wanted: Iterable[Mapping[str, Any]], there: Iterable[Schedule], declared_in: str) -> Changes:
    """What is to be done; pure. Raises BadRequest for a name that somebody took by hand."""
    found = {(each.owner, each.name): each for each in there}
    told = {(each["owner"], each["name"]): each for each in wanted}
    taken = [key for key in told if key in found and found[key].declared_in != declared_in]
    if taken:
        names = ", ".join(f"{owner}'s {name}" for owner, name in taken)
        raise BadRequest(f"{names}: added by hand, or by another file: remove it there, or choose another name")
    return Changes(
        [wish for key, wish in told.items() if key not in found],
        [wish for key, wish in told.items() if key in found and _differ(wish, found[key])],
        [key for key, each in found.items() if each.declared_in == declared_in and key not in told],
    )


def compare(
    book: Book, wishes: Iterable[Wish], declared_in: str, settings: SchedulesSettings, now: datetime | None = None
) -> Changes:
    """Look what the book has. Raises BadRequest with every mistake."""
    now, wanted, mistakes = now or datetime.now(UTC), [], []
    for wish in wishes:
        try:
            wanted.append(
                dict(asking.values(wish, settings, now)) | {"mark": arrivals.beginning(book, wish.kind, wish.spec)}
            )
        except (MlinfnError, Error) as error:
            mistakes.append(f"{wish.owner}'s {wish.name}: {' '.join(str(error).split())}")
    if mistakes:
        raise BadRequest("; ".join(mistakes))
    return changes(wanted, book.schedules(), declared_in)


def apply(book: Book, found: Changes, settings: SchedulesSettings) -> None:
    """All of it or nothing. Raises BadRequest."""
    with book.connection.transaction():
        for owner, name in found.remove:
            book.remove(owner, name)
        for values in found.change:
            book.rewrite(values)
        for values in found.add:
            book.add(values, settings.per_user)


def _differ(wish: Mapping[str, Any], schedule: Schedule) -> bool:
    return any(wish[field] != getattr(schedule, field) for field in STEADY)


def _twice(wishes: list[Wish]) -> list[tuple[str, str]]:
    keys = [(each.owner, each.name) for each in wishes]
    return sorted({key for key in keys if keys.count(key) > 1})
