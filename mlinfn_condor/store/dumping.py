"""A database into a file and back: pg_dump sees one moment, however much is written meanwhile."""

import os
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from psycopg import sql

from mlinfn_condor.store.connection import connect, environment, in_database, place, told_in_one_line
from mlinfn_condor.store.errors import StoreError
from mlinfn_condor.store.local import programs
from mlinfn_condor.store.migrating import migrate
from mlinfn_condor.store.statements import Statements

_SQL = Statements("mlinfn_condor.store")


class DumpFailed(StoreError):
    """The database could not be dumped, or a dump not be read; the database is as it was, or empty."""


def dump(dsn: str, file: Path) -> None:
    """All of the database as of now, uncompressed: what keeps it finds what is the same as last time."""
    _run(dsn, "pg_dump", "--format=custom", "--compress=0", "--no-password", f"--file={file}")


def load(dsn: str, file: Path) -> None:
    """Put a dump into the place of the whole database, and bring its schema up to date. Its server must have its roles.

    In one transaction: a kill leaves the database empty, and the same again does it.
    """
    name = place(dsn)
    migrate(dsn)  # makes the roles that the dump gives rights to
    with connect(in_database(dsn, "postgres"), autocommit=True) as connection, told_in_one_line(f"{name} is in use"):
        for statement in ("drop_database", "create_named_database"):
            text = sql.SQL(_SQL.text(statement))
            connection.execute(text.format(database=sql.Identifier(_name(dsn))))
    whole = ("--single-transaction", "--exit-on-error")
    _run(dsn, "pg_restore", "--no-password", *whole, f"--dbname={_name(dsn)}", str(file))
    migrate(dsn)
    with (
        connect(dsn, autocommit=True) as connection,
        told_in_one_line(f"{name} is restored, but younger than its rows"),
    ):
        connection.execute(_SQL.text("outlast"))


def contents(file: Path) -> int:
    """How many objects a dump holds, by its own list. Raises DumpFailed: it is damaged."""
    return len([line for line in _listed(file).splitlines() if line and not line.startswith(";")])


def is_empty(dsn: str) -> bool:
    """Whether nothing of ours was ever recorded there."""
    with connect(dsn, autocommit=True) as connection:
        if connection.execute(_SQL.text("find_migration_table")).fetchone() is None:
            return True
        return connection.execute(_SQL.text("find_any_record")).fetchone() is None


def _run(dsn: str, program: str, *arguments: str) -> None:
    with connect(dsn, autocommit=True) as connection:
        major = connection.info.server_version // 10000
    with _without_password_in_sight(dsn) as seen:
        _program(program, major, seen, *arguments)


def _listed(file: Path) -> str:
    return _program("pg_restore", 0, dict(os.environ), "--list", str(file))


def _program(name: str, major: int, seen: dict[str, str], *arguments: str) -> str:
    fitting = sorted(
        (found for found in programs.installed() if found.major >= major and (found.bin / name).exists()),
        key=lambda found: (found.major, found.origin == "wheel"),
    )
    if not fitting:
        raise DumpFailed(f"there is no {name} of PostgreSQL {major} or newer: install your system's postgresql-client")
    # The server's own version where there is one: a newer pg_restore says what an older server does not know.
    chosen = fitting[0] if major else fitting[-1]
    done = subprocess.run(
        [chosen.bin / name, *arguments], env=seen, capture_output=True, text=True, errors="replace", check=False
    )
    if done.returncode != 0:
        said = done.stderr.splitlines() or ["no reason given"]
        raise DumpFailed(f"{name}: {next((line for line in said if 'error' in line), said[0])}")
    return done.stdout


@contextmanager
def _without_password_in_sight(dsn: str) -> Iterator[dict[str, str]]:
    """The DSN as variables; its password, if it has one, in a file of ours alone."""
    told = environment(dsn)
    secret = told.pop("PGPASSWORD", None)
    kept = {name: value for name, value in os.environ.items() if not name.startswith("PG") or name == "PGPASSFILE"}
    with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
        if secret is not None:
            file = Path(folder) / "pgpass"
            file.touch(mode=0o600)
            escaped = secret.replace("\\", "\\\\").replace(":", "\\:")
            file.write_text(f"*:*:*:*:{escaped}\n")
            kept["PGPASSFILE"] = str(file)
        yield kept | told | {"LC_ALL": "C"}


def _name(dsn: str) -> str:
    return environment(dsn).get("PGDATABASE", "mlinfn")
