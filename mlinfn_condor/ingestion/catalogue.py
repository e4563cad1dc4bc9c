"""What is offered: tables of schema `api` and their columns, as the database has them."""

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from mlinfn_condor.ingestion.refusals import BAD_REQUEST, NOT_FOUND, Refusal
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Connection

OLD_SECONDS = 10.0
"""Age from which the catalogue is read again."""
PAUSE_SECONDS = 1.0
"""Between two readings for a name that is not known."""


@dataclass(frozen=True)
class Offered:
    """A table: its columns' types by name, and its primary key."""

    name: str
    types: Mapping[str, str]
    key: tuple[str, ...]

    def check(self, column: str) -> str:
        """The column's name, if there is one. Raises Refusal as PostgreSQL would tell it."""
        if column not in self.types:
            raise Refusal(BAD_REQUEST, "42703", f"column {self.name}.{column} does not exist")
        return column


class Catalogue:
    """All of them. Read again when it is old, or when somebody asks for a table that it does not have."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock, self._read, self._lock = clock, float("-inf"), threading.Lock()
        self._tables: Mapping[str, Offered] = {}

    def table(self, connection: Connection, name: str, columns: tuple[str, ...] = ()) -> Offered:
        """The table of this name. Raises Refusal; psycopg's Error."""
        age = self._clock() - self._read
        found = self._tables.get(name)
        lacking = found is None or any(column not in found.types for column in columns)
        if age > OLD_SECONDS or (lacking and age > PAUSE_SECONDS):
            with self._lock:
                self._tables, self._read = _read(connection), self._clock()
        found = self._tables.get(name)
        if found is None:
            raise Refusal(
                NOT_FOUND, "PGRST205", f"Could not find the table 'api.{name[:63]}' in the schema cache",
                hint="mlinfn ingest table list",
            )  # fmt: skip
        return found


def _read(connection: Connection) -> dict[str, Offered]:
    types: dict[str, dict[str, str]] = {}
    keys: dict[str, list[str]] = {}
    for table, column, kind, in_key in connection.execute(SQL.text("list_offered")):
        types.setdefault(table, {})[column] = kind
        if in_key:
            keys.setdefault(table, []).append(column)
    return {name: Offered(name, columns, tuple(keys.get(name, ()))) for name, columns in types.items()}
