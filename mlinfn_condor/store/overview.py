"""What there is to say about a database at one glance."""

from dataclasses import dataclass

from mlinfn_condor.store.connection import connect, told_in_one_line
from mlinfn_condor.store.migrating import applied, missing, read, shipped_migrations
from mlinfn_condor.store.mirror.source import Mirror, mirrors
from mlinfn_condor.store.statements import Statements

_SQL = Statements("mlinfn_condor.store")


@dataclass(frozen=True)
class Overview:
    """State of a database that answers."""

    version: str
    size_bytes: int
    applied: tuple[str, ...]
    missing: tuple[str, ...]
    """Migrations that `mlinfn db migrate` would apply."""
    mirrors: tuple[Mirror, ...]


def look(dsn: str) -> Overview:
    """Raises StoreUnreachable; MigrationFailed when the schema is not one that this program can bring up to date."""
    with connect(dsn, autocommit=True) as connection, told_in_one_line("status"):
        had = applied(connection)
        size = connection.execute(_SQL.text("measure_database")).fetchone()
        return Overview(
            version=connection.info.parameter_status("server_version") or "unknown",
            size_bytes=size[0] if size else 0,
            applied=tuple(row.name for row in had),
            missing=tuple(migration.name for migration in missing(read(shipped_migrations()), had)),
            mirrors=tuple(mirrors(connection)),
        )
