"""A private database of a bench's own, and nothing of it afterwards but files."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlinfn_condor.embedded.report import Report
from mlinfn_condor.store import migrate
from mlinfn_condor.store.local import LocalServer


@contextmanager
def database(folder: Path, report: Report) -> Iterator[LocalServer]:
    """Up in this folder, with today's schema."""
    server = LocalServer(folder / "database")
    dsn = server.up(report)
    try:
        migrate(dsn)
        yield server
    finally:
        server.down()
