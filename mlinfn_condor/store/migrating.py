"""The schema as numbered files, applied in order and exactly once, also by two programs at the same time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

import psycopg
from psycopg.pq import TransactionStatus

from mlinfn_condor.store.connection import connect, place
from mlinfn_condor.store.errors import DatabaseNewer, MigrationFailed
from mlinfn_condor.store.statements import Statements

OLDEST_SERVER = 150000
"""PostgreSQL 15: the first that publishes a schema's tables through their partitioned roots as the mirror needs it."""
_NAME = re.compile(r"(\d{4})-[a-z0-9]+(?:-[a-z0-9]+)+\.sql")
_SQL = Statements("mlinfn_condor.store")


@dataclass(frozen=True)
class Migration:
    """One file `NNNN-verb-phrase.sql`."""

    number: int
    name: str
    text: str

    @property
    def sha256(self) -> str:
        """Tells a file that was edited after somebody applied it."""
        return sha256(self.text.encode()).hexdigest()


@dataclass(frozen=True)
class Applied:
    """A row of `mlinfn.migration`."""

    number: int
    name: str
    sha256: str


def migrate(dsn: str, folder: Traversable | Path | None = None) -> list[str]:
    """Apply what is missing, each file in a transaction of its own; the names of those applied, none if up to date.

    Whoever comes second waits for the first, and then finds nothing to do. Raises MigrationFailed, StoreUnreachable.
    """
    known = read(folder or shipped_migrations())
    with connect(dsn, autocommit=True, application="mlinfn migrate") as connection:
        _refuse_old_servers(connection)
        try:
            connection.execute(_SQL.text("lock_migrations"))
            connection.execute(_SQL.text("create_migration_table"))
        except psycopg.Error as error:
            raise MigrationFailed(f"{place(dsn)}: {_told(error)}; migrate with the DSN of its owner") from error
        todo = missing(known, applied(connection))
        for migration in todo:
            _apply(connection, migration)
    return [migration.name for migration in todo]


def shipped_migrations() -> Traversable:
    """The migrations of this version of the program."""
    return files("mlinfn_condor.store") / "migrations"


def read(folder: Traversable | Path) -> list[Migration]:
    """The folder's migrations in order. Raises MigrationFailed: a bad name, a gap, a number that is there twice."""
    names = sorted(file.name for file in folder.iterdir() if file.name.endswith(".sql")) if folder.is_dir() else []
    if bad := [name for name in names if not _NAME.fullmatch(name)]:
        raise MigrationFailed(f"no name of a migration: {', '.join(bad)}; wanted is NNNN-verb-phrase.sql")
    for number, name in enumerate(names, start=1):
        if int(name[:4]) < number:
            raise MigrationFailed(f"two migrations have the number {name[:4]}: {names[number - 2]} and {name}")
        if int(name[:4]) > number:
            raise MigrationFailed(f"migration {number:04} is missing: {name} comes next")
    return [Migration(int(name[:4]), name, (folder / name).read_text(encoding="utf-8")) for name in names]


def missing(known: Sequence[Migration], done: Sequence[Applied]) -> list[Migration]:
    """What is to be applied. Raises MigrationFailed when the database is not a prefix of what the program knows."""
    by_number: Mapping[int, Migration] = {migration.number: migration for migration in known}
    for row in done:
        mine = by_number.get(row.number)
        if mine is None:
            newest = known[-1].name if known else "none"
            raise DatabaseNewer(
                f"the database is newer than this program: it has {row.name}, the program's last is {newest}; "
                "install the newer mlinfn-condor"
            )
        if (mine.name, mine.sha256) != (row.name, row.sha256):
            raise MigrationFailed(
                f"{mine.name} is not what was applied as {row.name}: put the file back, write the change as a new one"
            )
    done_numbers = {row.number for row in done}
    return [migration for migration in known if migration.number not in done_numbers]


def applied(connection: psycopg.Connection) -> list[Applied]:
    """What this database has had, in order; nothing when it never saw a migration."""
    if connection.execute(_SQL.text("find_migration_table")).fetchone() is None:
        return []
    return [Applied(*row) for row in connection.execute(_SQL.text("list_migrations"))]


def _apply(connection: psycopg.Connection, migration: Migration) -> None:
    try:
        with connection.transaction():
            connection.execute(migration.text)
            if connection.info.transaction_status is not TransactionStatus.INTRANS:
                raise MigrationFailed(f"{migration.name} ends its own transaction: take its COMMIT or ROLLBACK out")
            row = (migration.number, migration.name, migration.sha256)
            connection.execute(_SQL.text("record_migration"), row)
    except psycopg.Error as error:
        position = error.diag.statement_position
        line = f", line {migration.text[: int(position)].count(chr(10)) + 1}" if position else ""
        raise MigrationFailed(f"{migration.name}{line}: {_told(error)}; nothing of this file was applied") from error


def _refuse_old_servers(connection: psycopg.Connection) -> None:
    if connection.info.server_version < OLDEST_SERVER:
        shown = connection.info.parameter_status("server_version")
        raise MigrationFailed(f"the server is PostgreSQL {shown}; 15 or newer is needed")


def _told(error: psycopg.Error) -> str:
    return (error.diag.message_primary or str(error)).strip().replace("\n", " ")
