"""Runs that data starts: where the data stands, and whether that is reason for a run.

A run is for what came after `since` and up to `until`, and begins where the last one that was done has ended: what a
failed run was for is in the next one. Runs of one schedule never overlap: no row, no commit is left out or in two.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from mlinfn_condor.schedules import repositories
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.runs import Schedule

DATA = ("rows", "commits")
"""Kinds of schedules that data starts; the others go by the clock."""
EVERYTHING = "1:1:"
"""The snapshot that saw nothing: after it all rows are new."""


@dataclass(frozen=True)
class Arrived:
    """What is there since the last look. `fresh`: since the last run, though it failed."""

    until: str
    fresh: int


def position(book: Book, kind: str, spec: str) -> str:
    """Where the data ends now: a snapshot, or a commit. Raises MlinfnError, psycopg's Error."""
    return book.snapshot() if kind == "rows" else repositories.tip(spec)


def beginning(book: Book, kind: str, spec: str) -> str:
    """Where data begins to be new to a new schedule; empty where the clock starts it. Raises as `position` does."""
    if kind not in DATA:
        return ""
    mark = position(book, kind, spec)
    if kind == "rows":
        book.count_new(spec, mark, mark)  # a table that is not there or not prepared is refused here
    return mark


def look(book: Book, schedule: Schedule) -> Arrived:
    """Ask table or repository. A run that failed is not repeated for ever: only what came after it counts."""
    until = position(book, schedule.kind, schedule.spec)
    last = book.last_run(schedule.number)
    since = schedule.mark if last is None or last.done or not last.until else last.until
    if schedule.kind == "rows":
        return Arrived(until, book.count_new(schedule.spec, since, until))
    return Arrived(until, int(until != since))


def enough(fresh: int, least: int, waited: timedelta, at_latest: timedelta | None) -> bool:
    """Whether so much, or anything for so long, is reason for a run; pure."""
    return fresh >= least or (at_latest is not None and fresh > 0 and waited >= at_latest)


def waited(book: Book, schedule: Schedule, now: datetime) -> timedelta:
    """Since the run before, or since the schedule was made."""
    last = book.last_run(schedule.number)
    return now - (last.due_at if last else schedule.added_at)
