"""Rows that wait on an instrument's disk until somebody has taken them: a file of SQLite, one for each destination."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from mlinfn_condor.ingestion.statements import SQL

PATIENCE_SECONDS = 30.0
"""For another sender with the same spool."""


@dataclass(frozen=True)
class Waiting:
    """A row on its way: the name that it keeps however often it is sent, and what it says."""

    id: str
    row: dict[str, Any]


class Spool:
    """What is put in is on the disk when `put` returns, and stays until `taken` or `rejected`."""

    def __init__(self, file: Path) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        self._database = sqlite3.connect(file, timeout=PATIENCE_SECONDS, isolation_level=None, check_same_thread=False)
        self._database.execute("PRAGMA journal_mode = WAL")
        self._database.execute("PRAGMA synchronous = FULL")
        for name in ("spool_make_waiting", "spool_make_rejected", "spool_make_taken"):
            self._database.execute(SQL.text(name))

    def put(self, rows: Iterable[Waiting]) -> int:
        """Keep them, those alone whose names were never here before; how many."""
        before = self._database.total_changes
        self._database.execute("BEGIN IMMEDIATE")
        self._database.executemany(
            SQL.text("spool_put"), ({"id": each.id, "row": json.dumps(each.row)} for each in rows)
        )
        self._database.execute("COMMIT")
        return self._database.total_changes - before

    def next(self, most: int) -> list[Waiting]:
        """Those that wait longest."""
        found = self._database.execute(SQL.text("spool_next"), {"most": most})
        return [Waiting(name, json.loads(row)) for name, row in found]

    def taken(self, rows: Sequence[Waiting]) -> None:
        """They are where they belong."""
        self._each(("spool_note_taken", "spool_drop"), [{"id": each.id} for each in rows])

    def rejected(self, row: Waiting, reason: str) -> None:
        """Nobody will ever take it as it is; kept for a person."""
        self._each(("spool_reject", "spool_drop"), [{"id": row.id, "row": json.dumps(row.row), "reason": reason}])

    def counts(self) -> tuple[int, int]:
        """How many wait, and how many were rejected."""
        waiting, rejected = self._database.execute(SQL.text("spool_count")).fetchone()
        return int(waiting), int(rejected)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._database.close()

    def _each(self, statements: Sequence[str], values: Sequence[dict[str, str]]) -> None:
        self._database.execute("BEGIN IMMEDIATE")
        for name in statements:
            self._database.executemany(SQL.text(name), values)
        self._database.execute("COMMIT")
