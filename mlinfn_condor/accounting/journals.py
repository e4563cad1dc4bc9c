"""Journals into the database, a line of JSON each: each line once, its place in the file in the same transaction.

The hub notes starts of sessions as people met them, the provisioner what becomes of glideins.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.accounting import histories
from mlinfn_condor.accounting.cursor import Cursor, Place
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.store import Connection


@dataclass(frozen=True)
class Kind:
    """What stands in a journal, and where it goes."""

    writer: str
    """Stands in the place of an access point."""
    kind: str
    statement: str
    names: tuple[str, ...]
    """Needed in each line; they are the statement's parameters."""


STARTS = Kind(
    "hub",
    "starts",
    "note_start",
    ("clicked", "username", "server", "project", "model", "job", "ready", "outcome", "reason"),
)
EVENTS = Kind("provisioner", "events", "note_event", ("at", "kind", "subject", "detail"))
_BYTES = 4_000_000


def read(connection: Connection, journal: Path, kind: Kind) -> int:
    """Lines that are new; 0 without a journal. A line that is not finished waits for the next time."""
    try:
        stream = journal.open("rb")
    except FileNotFoundError:
        return 0
    with stream:
        first = stream.readline()
        if not first.endswith(b"\n"):
            return 0
        cursor = Cursor(connection, Place(kind.writer, kind.kind, histories.name_by(first)))
        rows = 0
        while True:
            with connection.transaction():
                position = cursor.take()
                stream.seek(position)
                data = stream.read(_BYTES)
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    return rows
                added, refused = _store(cursor, position, data, kind)
                rows += added
                cursor.move(position + len(data), data.count(b"\n"), refused)


def _store(cursor: Cursor, position: int, data: bytes, kind: Kind) -> tuple[int, int]:
    rows, refused = [], 0
    for line in data.splitlines(keepends=True):
        try:
            told = json.loads(line)
            rows.append({name: told[name] for name in kind.names})
        except (ValueError, KeyError, TypeError) as error:
            refused += 1
            cursor.refuse(position, repr(error), line)
        position += len(line)
    with cursor.connection.cursor() as several:
        several.executemany(SQL.text(kind.statement), rows)
    return len(rows), refused
