"""The hub's journal of starts into the database: each line once, its place in the file in the same transaction."""

import json
from pathlib import Path

from mlinfn_condor.accounting import histories
from mlinfn_condor.accounting.cursor import Cursor, Place
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.store import Connection

KIND = "starts"
HUB = "hub"
_BYTES = 4_000_000
_NAMES = ("clicked", "username", "server", "project", "model", "job", "ready", "outcome", "reason")


def read(connection: Connection, journal: Path) -> int:
    """Lines that are new; 0 without a journal. A line that is not finished waits for the next time."""
    try:
        stream = journal.open("rb")
    except FileNotFoundError:
        return 0
    with stream:
        first = stream.readline()
        if not first.endswith(b"\n"):
            return 0
        cursor = Cursor(connection, Place(HUB, KIND, histories.name_by(first)))
        rows = 0
        while True:
            with connection.transaction():
                position = cursor.take()
                stream.seek(position)
                data = stream.read(_BYTES)
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    return rows
                added, refused = _store(cursor, position, data)
                rows += added
                cursor.move(position + len(data), data.count(b"\n"), refused)


def _store(cursor: Cursor, position: int, data: bytes) -> tuple[int, int]:
    rows, refused = [], 0
    for line in data.splitlines(keepends=True):
        try:
            start = json.loads(line)
            rows.append({name: start[name] for name in _NAMES})
        except (ValueError, KeyError, TypeError) as error:
            refused += 1
            cursor.refuse(position, repr(error), line)
        position += len(line)
    with cursor.connection.cursor() as several:
        several.executemany(SQL.text("note_start"), rows)
    return len(rows), refused
