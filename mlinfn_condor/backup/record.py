"""What is known of the backups, and whether that is good enough; in files, for the database may be away."""

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mlinfn_condor import json_lines
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.embedded.secrets import write_private

HOUR, DAY = 3600.0, 86400.0
RETRY_SECONDS = 900.0
"""After a run that failed, and twice as long after each further one."""


@dataclass(frozen=True)
class Record:
    """Times are seconds of the epoch, 0: never."""

    since: float
    """When backups were first asked for here."""
    tried_at: float = 0
    good_at: float = 0
    """The moment that the last good backup is of."""
    snapshot: str = ""
    files: int = 0
    bytes: int = 0
    read: int = 0
    """Files whose content was read."""
    seconds: float = 0
    failed: int = 0
    """In a row."""
    error: str = ""
    verified_at: float = 0
    verification_tried_at: float = 0
    verification_error: str = ""


@dataclass(frozen=True)
class Judgement:
    """What somebody has to see to; nothing: all is well."""

    late: bool
    failed: bool
    unverified: bool
    sentences: tuple[str, ...]


_FILE = TypeAdapter(Record)


def read(file: Path) -> Record:
    """As last written; a file that is not there, or not readable, begins anew."""
    try:
        return _FILE.validate_json(file.read_bytes())
    except (OSError, ValidationError):
        return Record(since=time.time())


def write(file: Path, record: Record) -> None:
    """Whole or not at all."""
    file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    write_private(file, f"{json.dumps(asdict(record), indent=1)}\n".encode())


def tell(journal: Path, event: str, at: float, **facts: Any) -> None:
    """Append an event. Raises OSError."""
    journal.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    json_lines.append(journal, {"event": event, "at": at, **facts})


def judged(record: Record, settings: BackupSettings, now: float) -> Judgement:
    """Pure: late, failed, not verified."""
    age = now - (record.good_at or record.since)
    late = age > settings.late_after_hours * HOUR
    sentences = []
    if late:
        last = f"the last good one is {age / HOUR:.1f} h old" if record.good_at else "there never was a good one"
        sentences.append(f"the backup is late: {last}, at most {settings.late_after_hours:g} h were allowed")
    if record.error:
        sentences.append(f"the last run failed: {record.error}")
    if record.verification_error:
        sentences.append(f"the last verification failed: {record.verification_error}")
    return Judgement(late, bool(record.error), bool(record.verification_error), tuple(sentences))


def due(record: Record, settings: BackupSettings, now: float) -> str | None:
    """Pure: what is to be done now, `run`, `verify` or nothing. After failures a run waits ever longer."""
    every = settings.every_hours * HOUR
    pause = min(RETRY_SECONDS * 2.0 ** min(record.failed - 1, 20), every) if record.failed else every
    if now - max(record.tried_at, record.good_at) >= pause:
        return "run"
    verify = settings.verify_every_days * DAY
    wait = min(verify, DAY) if record.verification_error else verify
    if record.good_at and now - max(record.verification_tried_at, record.verified_at) >= wait:
        return "verify"
    return None


def ran(record: Record, tried_at: float, **facts: Any) -> Record:
    """After a good run."""
    return replace(record, tried_at=tried_at, failed=0, error="", **facts)


def failed(record: Record, tried_at: float, error: str) -> Record:
    """After one that was not."""
    return replace(record, tried_at=tried_at, failed=record.failed + 1, error=error)
