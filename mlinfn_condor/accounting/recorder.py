"""Histories into the database: each record once, in the same transaction that says how far its file has been read.

Invariant: what is stored equals what stands in the files before each cursor, whoever was killed when.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from mlinfn_condor.accounting import histories, records
from mlinfn_condor.accounting.cursor import Cursor, Place
from mlinfn_condor.accounting.histories import Chunk, HistoryFile
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.store import Connection, Error

GAP_SECONDS = 3600
"""A device that is not seen for longer was not there."""
_OF_A_VALUE = "22"
"""SQLSTATE class: out of range, or of another type."""

Line = tuple[bytes, int, bytes]
"""For COPY, and the record that it is of, with its position."""


@dataclass(frozen=True)
class Kind:
    """One of the two histories of an access point."""

    name: str
    file: str
    line: Callable[[bytes], bytes | None]
    stage: str
    copy: str
    store: tuple[str, ...]
    """Statements after the copy; the one that begins with `insert` returns the number of new rows."""


EPOCHS = Kind(
    "epoch",
    "epoch_history",
    records.attempt,
    "stage_attempts",
    "copy_attempts",
    (
        "keep_attempt_months",
        "know_devices_of_attempts",
        "grant_devices_of_attempts",
        "insert_attempts",
        "forget_recorded",
    ),
)
JOBS = Kind("history", "history", records.job, "stage_jobs", "copy_jobs", ("keep_job_months", "insert_jobs"))
KINDS = (EPOCHS, JOBS)


@dataclass
class Recorded:
    """What a reading of the histories brought."""

    rows: int = 0
    read_bytes: int = 0
    refused: int = 0
    by_kind: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Recorder:
    """Reads the histories below `spools` (access point → folder) into the database behind `connection`."""

    connection: Connection
    spools: Mapping[str, Path]
    chunk_bytes: int = histories.CHUNK_BYTES

    def read_all(self, on_chunk: Callable[[Recorded], None] = lambda _: None) -> Recorded:
        """Everything that has been written since the last time. Raises psycopg's errors; what was stored stays so."""
        recorded = Recorded()
        for access_point, spool in self.spools.items():
            for kind in KINDS:
                for file in self._unread(access_point, kind, spool / kind.file):
                    for rows, chunk, refused in self._read(access_point, kind, file):
                        recorded.rows += rows
                        recorded.read_bytes += chunk.end - chunk.start
                        recorded.refused += refused
                        recorded.by_kind[kind.name] = recorded.by_kind.get(kind.name, 0) + rows
                        on_chunk(recorded)
        return recorded

    def _unread(self, access_point: str, kind: Kind, current: Path) -> list[HistoryFile]:
        with self.connection.transaction():
            where = {"access_point": access_point, "kind": kind.name}
            cursors: dict[str, int] = dict(self.connection.execute(SQL.text("look_at_cursors"), where).fetchall())
        return [file for file in histories.files(current) if cursors.get(file.fingerprint, 0) < file.size]

    def _read(self, access_point: str, kind: Kind, file: HistoryFile) -> Iterator[tuple[int, Chunk, int]]:
        cursor = Cursor(self.connection, Place(access_point, kind.name, file.fingerprint))
        with file.path.open("rb") as stream:
            if histories.fingerprint(stream) != file.fingerprint:
                return  # renamed since we looked: the next look finds it under its new name
            while True:
                with self.connection.transaction():
                    chunk = histories.chunk_from(stream, cursor.take(), self.chunk_bytes)
                    if chunk is None:
                        return
                    rows, refused = self._take(kind, chunk, cursor)
                    cursor.move(chunk.end, len(chunk.records), refused)
                yield rows, chunk, refused

    def _take(self, kind: Kind, chunk: Chunk, cursor: Cursor) -> tuple[int, int]:
        """The chunk's new rows, and how many of its records were refused."""
        lines: list[Line] = []
        refused = 0
        for position, record in chunk.records:
            try:
                line = kind.line(record)
            except records.Unreadable as error:
                refused += 1
                cursor.refuse(position, str(error), record)
                continue
            if line is not None:
                lines.append((line, position, record))
        if not lines:
            return 0, refused
        self.connection.execute(SQL.text(kind.stage))
        rows, more = self._store_or_refuse(kind, lines, cursor)
        return rows, refused + more

    def _store_or_refuse(self, kind: Kind, lines: Sequence[Line], cursor: Cursor) -> tuple[int, int]:
        """A value that no column can take is found by halving: users can write into their jobs' ads."""
        try:
            with self.connection.transaction():
                return self._store(kind, [line for line, _, _ in lines], cursor.place.access_point), 0
        except Error as error:
            if not (error.sqlstate or "").startswith(_OF_A_VALUE):
                raise
            if len(lines) == 1:
                _, position, record = lines[0]
                cursor.refuse(position, error.diag.message_primary or str(error), record)
                return 0, 1
        half = len(lines) // 2
        first, second = (self._store_or_refuse(kind, part, cursor) for part in (lines[:half], lines[half:]))
        return first[0] + second[0], first[1] + second[1]

    def _store(self, kind: Kind, lines: Sequence[bytes], access_point: str) -> int:
        with self.connection.cursor() as cursor, cursor.copy(SQL.text(kind.copy)) as copy:
            copy.write(b"\n".join(lines) + b"\n")
        rows = 0
        values = {"access_point": access_point, "gap_s": GAP_SECONDS}
        for name in kind.store:
            done = self.connection.execute(SQL.text(name), values)
            if name.startswith("insert"):
                added = done.fetchone()
                rows += added[0] if added else 0
        self.connection.execute(SQL.text("empty_" + kind.stage))
        return rows
