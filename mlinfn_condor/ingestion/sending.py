"""The client of an instrument: rows go to the disk first, then over the line, until each was taken once.

A bulk whose answer did not come is sent again as it was. Its rows have names (`id`, or the key of their table), and the
database ignores names that it has: so nothing is lost, and nothing is there twice.
"""

import csv
import hashlib
import json
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import IO, Any, Self
from urllib.parse import urlencode

import urllib3

from mlinfn_condor.errors import MlinfnError, UserError
from mlinfn_condor.ingestion.spool import Spool, Waiting

BULK = 1000
"""Rows in one request."""
ANSWER_SECONDS = 60.0
BACKOFF_SECONDS, BACKOFF_MOST_SECONDS = 0.5, 60.0
PAUSE_SECONDS = 1.0
"""Between two looks for rows of a stream."""
_NAMES = uuid.UUID("6f1c5c4e-7a53-4d3c-9d5b-0c1a2f6f6a11")
"""Namespace of names of rows."""
_TRY_AGAIN = (408, 425, 429, 500, 502, 503, 504)
_POISONED = (400, 409, 413, 422)
"""Statuses that may be one row's fault."""
_NO_COLUMN, _NO_PROJECT = "42703", "PT400"


class StillWaiting(MlinfnError):
    """Rows are on this disk and could not be sent yet; the same command sends them later."""

    page = "docs/ingestion.md#sending"


@dataclass(frozen=True)
class Destination:
    """Where rows go, and with which token; the token's file is read for each request, so it may be renewed."""

    url: str
    table: str
    token_file: Path
    project: str | None = None
    """Which, where the token opens several."""

    def token(self) -> str:
        """Raises UserError."""
        try:
            return self.token_file.read_text().strip()
        except OSError as error:
            raise UserError(
                f"{self.token_file}: {error.strerror}; --token-file names the file with the token"
            ) from error


def rows_of(lines: IO[str], *, is_csv: bool) -> Iterator[dict[str, Any]]:
    """Objects of JSON lines, or of a JSON array; rows of a CSV whose first line names the columns. Raises UserError."""
    if is_csv:
        yield from ({name: value or None for name, value in row.items()} for row in csv.DictReader(lines, strict=True))
        return
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            told = json.loads(line)
        except ValueError as error:
            raise UserError(f"line {number}: {error}; wanted is one JSON object a line, or --csv") from error
        for row in told if isinstance(told, list) else [told]:
            if not isinstance(row, dict):
                raise UserError(f"line {number}: wanted is one JSON object a line, or --csv")
            yield row


def named_by_content(rows: Iterable[dict[str, Any]], table: str) -> Iterator[Waiting]:
    """Rows of a file: the same row at the same turn gets the same name, also when the file has grown since."""
    seen: Counter[bytes] = Counter()
    for row in rows:
        digest = hashlib.sha256(json.dumps([table, row], sort_keys=True).encode()).digest()
        seen[digest] += 1
        yield Waiting(str(uuid.uuid5(_NAMES, f"{digest.hex()} {seen[digest]}")), row)


def named_by_chance(rows: Iterable[dict[str, Any]]) -> Iterator[Waiting]:
    """Rows of a stream, of which nobody sends one again."""
    return (Waiting(str(uuid.uuid4()), row) for row in rows)


class Sender:
    """Empties a spool into a table."""

    def __init__(
        self, to: Destination, spool: Spool, patience_seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        """`patience_seconds`: how long nobody may answer until the caller is told that rows still wait."""
        self._to, self._spool, self._clock, self._patience = to, spool, clock, patience_seconds
        self._pause = _UntilDeadline(
            total=None, redirect=0, allowed_methods=None, status_forcelist=_TRY_AGAIN, backoff_factor=BACKOFF_SECONDS,
            backoff_max=BACKOFF_MOST_SECONDS, backoff_jitter=BACKOFF_SECONDS, raise_on_status=False,
        )  # fmt: skip
        self._pause.clock = clock
        self._http = urllib3.PoolManager(timeout=ANSWER_SECONDS)
        self._has_id: bool | None = None

    def send_all(self) -> int:
        """Until nothing waits; how many were taken. Raises StillWaiting, UserError: nothing is lost by either."""
        sent = 0
        while rows := self._spool.next(BULK):
            sent += self._send(rows)
        return sent

    def _send(self, rows: Sequence[Waiting]) -> int:
        if self._has_id is None:
            answer = self._ask("GET", "?select=id&limit=0")
            if answer.status != 200 and _code(answer) != _NO_COLUMN:
                raise self._refused(answer)
            self._has_id = answer.status == 200
        told = [{"id": each.id} | each.row if self._has_id else each.row for each in rows]
        columns = ",".join(f'"{name}"' for name in dict.fromkeys(name for row in told for name in row))
        answer = self._ask("POST", "?" + urlencode({"columns": columns}), json.dumps(told).encode())
        if answer.status in (200, 201):
            self._spool.taken(rows)
            return len(rows)
        if answer.status not in _POISONED or _code(answer) == _NO_PROJECT:
            raise self._refused(answer)
        if len(rows) == 1:
            self._spool.rejected(rows[0], _reason(answer))
            return 0
        half = len(rows) // 2  # which of them is it
        return self._send(rows[:half]) + self._send(rows[half:])

    def _ask(self, method: str, query: str, body: bytes | None = None) -> urllib3.BaseHTTPResponse:
        headers = {
            "Authorization": f"Bearer {self._to.token()}", "Content-Type": "application/json",
            "Prefer": "return=minimal, resolution=ignore-duplicates, missing=default",
        } | ({"X-Mlinfn-Project": self._to.project} if self._to.project else {})  # fmt: skip
        url = f"{self._to.url.rstrip('/')}/{self._to.table}{query}"
        self._pause.deadline = self._clock() + self._patience
        try:
            answer = self._http.request(method, url, body=body, headers=headers, retries=self._pause)
        except urllib3.exceptions.LocationValueError as error:
            raise UserError(f"--url {self._to.url}: {error}") from error
        except urllib3.exceptions.HTTPError as error:
            raise self._still_waiting(str(error)) from error
        if answer.status in _TRY_AGAIN:
            raise self._still_waiting(_reason(answer))
        return answer

    def _refused(self, answer: urllib3.BaseHTTPResponse) -> UserError:
        waiting, _ = self._spool.counts()
        return UserError(f"{self._to.url} refused: {_reason(answer)}; {waiting} rows wait on this disk")

    def _still_waiting(self, why: str) -> StillWaiting:
        waiting, _ = self._spool.counts()
        return StillWaiting(f"{waiting} rows wait on this disk, for {self._to.url} is away ({why[:200]}): run it again")


class _UntilDeadline(urllib3.Retry):
    """urllib3's back-off, for so long instead of so often."""

    deadline = 0.0
    clock: Callable[[], float] = time.monotonic

    def new(self, **changed: Any) -> Self:
        """See Retry: each try makes the next."""
        made = super().new(**changed)
        made.clock, made.deadline = self.clock, self.deadline
        return made

    def is_exhausted(self) -> bool:
        """See Retry."""
        return self.clock() >= self.deadline


def _code(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        return str(json.loads(answer.data)["code"])
    except (ValueError, KeyError, TypeError):
        return ""


def _reason(answer: urllib3.BaseHTTPResponse) -> str:
    try:
        told = json.loads(answer.data)
        return " ".join(str(told[name]) for name in ("code", "message", "details", "hint") if told.get(name))
    except (ValueError, AttributeError, TypeError):
        return f"status {answer.status}"


class Stream:
    """Rows of a stream, on the disk as they come, whatever the line to the site does meanwhile."""

    def __init__(self, lines: IO[str], spool: Path, *, is_csv: bool) -> None:
        self._lines, self._file, self._is_csv = lines, spool, is_csv
        self._read: SimpleQueue[Waiting | None] = SimpleQueue()
        self._trouble: list[Exception] = []
        self._threads = [threading.Thread(target=work, daemon=True) for work in (self._take, self._keep)]

    def send(self, sender: Sender) -> int:
        """Until the stream has ended and nothing waits; how many were taken. Raises MlinfnError."""
        sent = 0
        for thread in self._threads:
            thread.start()
        while True:
            over = not self._threads[-1].is_alive()
            try:
                sent += sender.send_all()
            except StillWaiting as error:
                if over:
                    raise
                print(f"mlinfn: {error}", file=sys.stderr)  # noqa: T201
            if over:
                break
            self._threads[-1].join(PAUSE_SECONDS)
        if self._trouble:
            raise self._trouble[0]
        return sent

    def _take(self) -> None:
        try:
            for waiting in named_by_chance(rows_of(self._lines, is_csv=self._is_csv)):
                self._read.put(waiting)
        except (MlinfnError, OSError, ValueError, csv.Error) as error:
            self._trouble.append(error)
        self._read.put(None)

    def _keep(self) -> None:
        """All that have come since the last time go to the disk together: each time is a wait for it."""
        with Spool(self._file) as spool:
            while True:
                rows = [self._read.get()]
                while not self._read.empty():
                    rows.append(self._read.get())
                spool.put(row for row in rows if row is not None)
                if rows[-1] is None:
                    return
