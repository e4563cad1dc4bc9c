"""The hub's journal of starts into the database: each line once, its place in the file in the same transaction."""

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

from mlinfn_condor.accounting.recorder import SQL
from mlinfn_condor.store import Connection

KIND = "starts"
HUB = "hub"
_BYTES = 4_000_000


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
        where: dict[str, Any] = {"access_point": HUB, "kind": KIND, "file": sha256(first).hexdigest()[:32]}
        rows = 0
        while True:
            with connection.transaction():
                connection.execute(SQL.text("know_cursor"), where)
                cursor = connection.execute(SQL.text("take_cursor"), where).fetchone()
                position = cursor[0] if cursor else 0
                stream.seek(position)
                data = stream.read(_BYTES)
                data = data[: data.rfind(b"\n") + 1]
                if not data:
                    return rows
                added, refused = _store(connection, where, position, data)
                rows += added
                end = {"read_bytes": position + len(data), "records": data.count(b"\n"), "refused": refused}
                connection.execute(SQL.text("move_cursor"), where | end)


def _store(connection: Connection, where: dict[str, Any], position: int, data: bytes) -> tuple[int, int]:
    rows, refused = [], 0
    for line in data.splitlines(keepends=True):
        try:
            start = json.loads(line)
            rows.append({name: start[name] for name in _NAMES})
        except (ValueError, KeyError, TypeError) as error:
            refused += 1
            kept = {
                "at_byte": position,
                "reason": repr(error),
                "record": line.decode(errors="replace").replace("\0", ""),
            }
            connection.execute(SQL.text("keep_refused"), where | kept)
        position += len(line)
    with connection.cursor() as cursor:
        cursor.executemany(SQL.text("note_start"), rows)
    return len(rows), refused


_NAMES = ("clicked", "username", "server", "project", "model", "job", "ready", "outcome", "reason")
