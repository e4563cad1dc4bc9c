"""What administrators see: services, glideins, schedules, leases, backups, and the alarms that one look can tell."""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from mlinfn_condor.backup import record
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool.leases import Leases
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.services import state
from mlinfn_condor.store import Error, connect
from mlinfn_condor.store.connection import told_in_one_line
from mlinfn_condor.submission.phrases import span
from mlinfn_condor.web import alarms as kinds
from mlinfn_condor.web.alarms import LATE_MINUTES, RECORDER_SECONDS, Alarm
from mlinfn_condor.web.picture import BROKEN, Picture
from mlinfn_condor.web.sizes import SQL
from mlinfn_condor.web.words import clock

JOURNAL_BYTES = 262_144
"""Of the provisioner's journal so much of the end is read."""
MOST_RUNS = 500
GONE = ("gone", "removed", "refused")


@dataclass(frozen=True)
class Sheet:
    """A table of words. `away`: why it cannot be filled."""

    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...] = ()
    away: str = ""


@dataclass(frozen=True)
class Administration:
    """One look."""

    sheets: tuple[Sheet, ...]
    alarms: tuple[Alarm, ...]


@dataclass(frozen=True)
class Places:
    """Where to look. None: this site has no such thing here."""

    services: Path | None = None
    journal: Path | None = None
    backup: Path | None = None
    dsn: Callable[[], str] | None = None
    schedules_dsn: Callable[[], str] | None = None
    leases: Callable[[], Leases] | None = None


def look(places: Places) -> Administration:
    """Each sheet for itself: one that cannot be filled says why, and the others are there."""
    alarms: list[Alarm] = []
    sheets = [
        _sheet("Services", ("service", "state", "for", "starts", "last end"), places.services, _services, alarms),
        _sheet("Glideins", ("glidein", "last", "when", "told"), places.journal, _glideins, alarms),
        _sheet("Schedules", ("schedule", "by", "last run", "when", "told"), places.schedules_dsn, _schedules, alarms),
        _sheet("Leases (boosts)", ("submitter", "what", "value", "until"), places.leases, _leases, alarms),
    ]
    if places.backup is not None:
        sheets.append(_sheet("Backups", ("what", "when", "told"), places.backup, _backup, alarms))
    if places.dsn is not None:
        try:
            alarms += _recorder(places.dsn())
        except (MlinfnError, Error) as error:
            alarms.append(Alarm(kinds.SOURCE_AWAY, f"the database does not answer: {_line(error)}"))
    return Administration(tuple(sheets), tuple(alarms))


def alarms_of(picture: Picture | None, away: Mapping[str, str]) -> list[Alarm]:
    """What the picture of the pool adds. Pure."""
    told = [Alarm(kinds.SOURCE_AWAY, f"the {name} does not answer: {why}") for name, why in away.items() if why]
    for node in picture.nodes if picture else ():
        for tile in node.tiles:
            if tile.use == BROKEN:
                why = tile.reason or "its monitor does not say why"
                told.append(Alarm(kinds.DEVICE_BROKEN, f"{tile.id} ({tile.model}) of {node.name}: {why}"))
    return told


def _sheet(
    title: str,
    columns: tuple[str, ...],
    where: Any,
    fill: Callable[[Any, list[Alarm]], Iterable[Sequence[str]]],
    alarms: list[Alarm],
) -> Sheet:
    if where is None:
        return Sheet(title, columns, away="Not known here.")
    try:
        return Sheet(title, columns, tuple(tuple(row) for row in fill(where, alarms)))
    except (MlinfnError, Error, OSError, ValueError) as error:
        return Sheet(title, columns, away=_line(error))


def _services(file: Path, alarms: list[Alarm]) -> Iterable[Sequence[str]]:
    for one, true in state.seen(state.read(file)):
        if true != "running":
            alarms.append(Alarm(kinds.SERVICE_NOT_RUNNING, f"{one.name} is {true}: {one.last_end or 'no end told'}"))
        yield one.name, true, span(time.time() - one.since), str(one.starts), one.last_end


def _glideins(journal: Path, alarms: list[Alarm]) -> Iterable[Sequence[str]]:
    if not journal.exists():
        return
    with journal.open("rb") as file:
        file.seek(max(0, journal.stat().st_size - JOURNAL_BYTES))
        lines = file.read().decode(errors="replace").splitlines()
    last: dict[str, Mapping[str, Any]] = {}
    for line in lines:
        try:
            one = json.loads(line)
        except ValueError:
            continue  # the first one is cut, the last one may be being written
        last[str(one.get("subject"))] = one
    now = int(time.time())
    for name, one in sorted(last.items(), key=lambda each: -float(each[1].get("at", 0))):
        if one.get("kind") not in GONE or float(one.get("at", 0)) > now - 3600:
            yield name, str(one.get("kind")), clock(int(one.get("at", 0)), now), str(one.get("detail", ""))


def _schedules(dsn: Callable[[], str], alarms: list[Alarm]) -> Iterable[Sequence[str]]:
    with told_in_one_line("schedules"), connect(dsn(), autocommit=True) as connection:
        book = Book(connection)
        latest: dict[tuple[str, str], tuple[Any, ...]] = {}
        for row in book.history(None, None, MOST_RUNS):
            latest.setdefault((row[0], row[1]), row)
        for one in book.schedules():
            run = latest.get((one.owner, one.name))
            told = ("none yet", "", "") if run is None else (str(run[4]), _utc(run[2]), str(run[7] or ""))
            yield (f"{one.owner}/{one.name}", f"{one.kind} {one.spec}", *told)
        late = [run for run in book.open_runs() if run.state == "due" and _late(run.start_at)]
        if late:
            sentence = f"{len(late)} runs are due for more than {LATE_MINUTES} min and not submitted"
            alarms.append(Alarm(kinds.SCHEDULER_LATE, sentence))


def _leases(leases: Callable[[], Leases], alarms: list[Alarm]) -> Iterable[Sequence[str]]:
    now = int(time.time())
    for one in leases().in_force():
        yield one.submitter, one.kind.value, f"{one.value:g}", clock(int(one.ends), now)


def _backup(file: Path, alarms: list[Alarm]) -> Iterable[Sequence[str]]:
    if not file.exists():
        return  # nobody asked for backups here
    seen, now = record.read(file), int(time.time())
    yield "last good backup", _moment(seen.good_at, now), f"{seen.files:,} files, {seen.bytes // 2**20:,} MB"
    yield "last verified", _moment(seen.verified_at, now), seen.verification_error
    yield "last try", _moment(seen.tried_at, now), seen.error
    for kind, what, error in (
        (kinds.BACKUP_FAILED, "backup", seen.error),
        (kinds.BACKUP_NOT_VERIFIED, "verification", seen.verification_error),
    ):
        if error:
            alarms.append(Alarm(kind, f"the last {what}: {error}"))


def _recorder(dsn: str) -> list[Alarm]:
    with told_in_one_line("recorder"), connect(dsn) as connection:
        row = connection.execute(SQL.text("recorder_health")).fetchone()
    age, refused = row if row else (None, 0)
    told = []
    if age is None or age > RECORDER_SECONDS:
        when = "never saw the pool" if age is None else f"last saw the pool {span(age)} ago"
        told.append(Alarm(kinds.RECORDER_STALE, f"the recorder {when}"))
    if refused:
        told.append(
            Alarm(kinds.RECORDS_REFUSED, f"{refused} records were never understood: `mlinfn accounting status`")
        )
    return told


def _late(start_at: datetime) -> bool:
    return datetime.now(UTC) - start_at > timedelta(minutes=LATE_MINUTES)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _moment(epoch: float, now: int) -> str:
    return clock(int(epoch), now) if epoch else "never"


def _line(error: BaseException) -> str:
    return " ".join(str(error).split()) or type(error).__name__
