"""The scheduler as a service: wakes up when something is due, when somebody changed the book, and to look at jobs."""

import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import Pool
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.scheduler import Scheduler, submitter
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.schedules.statements import SQL
from mlinfn_condor.store import Connection, Error, connect

SLICE_SECONDS = 1.0
"""How long a signal may go unheard."""


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201


def run(dsn: str, pool: Callable[[], Pool], settings: SchedulesSettings, stop: Event) -> None:
    """Until `stop`. A database that is away is said once; what was due meanwhile follows its misfire rule."""
    trouble = ""
    while not stop.is_set():
        try:
            with connect(dsn, autocommit=True, application="mlinfn schedules") as connection:
                trouble = ""
                _serve(connection, dsn, pool, settings, stop)
        except (MlinfnError, Error) as error:
            if (told := " ".join(str(error).split())) != trouble:
                _say(f"schedules: {told}; trying again")
            trouble = told
            stop.wait(settings.look_seconds)


def _serve(
    connection: Connection, dsn: str, pool: Callable[[], Pool], settings: SchedulesSettings, stop: Event
) -> None:
    book = Book(connection)
    scheduler = Scheduler(book, pool, submitter(dsn, settings), settings, _say)
    told = False
    while not stop.is_set() and not book.leads():
        if not told:
            _say("schedules: another scheduler acts; this one takes over when it ends")
        told = True
        stop.wait(SLICE_SECONDS)
    connection.execute(SQL.text("listen"))
    while not stop.is_set():
        scheduler.turn()
        due = scheduler.next_due()
        until = settings.look_seconds if due is None else (due - datetime.now(UTC)).total_seconds()
        _wait(connection, min(max(until, 0.0), settings.look_seconds), stop)


def _wait(connection: Connection, seconds: float, stop: Event) -> None:
    """Until somebody notifies, or the time is over."""
    end = time.monotonic() + seconds
    while not stop.is_set() and (left := end - time.monotonic()) > 0:
        if list(connection.notifies(timeout=min(left, SLICE_SECONDS), stop_after=1)):
            return
