"""A real private PostgreSQL for tests, and an empty database of it for each test."""

import os
import shutil
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import TypeVar

import pytest
from psycopg import sql

from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.store import ServerFailed, connect
from mlinfn_condor.store.connection import in_database
from mlinfn_condor.store.local import LocalServer, programs

T = TypeVar("T")
_NUMBERS = count(1)


@contextmanager
def short_folder() -> Iterator[Path]:
    """A folder of the test's own whose path leaves room for a socket's."""
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def server_in(folder: Path, prefer: str | None = None) -> Iterator[LocalServer]:
    """A server that is not up yet, and surely down afterwards. A skip on a laptop without one, a failure in CI."""
    try:
        programs.find(prefer=prefer)
    except ServerFailed as error:
        # A machine need not have a PostgreSQL of its own; that there is one at all, CI insists on.
        if os.environ.get("MLINFN_REQUIRE_DAEMONS") and prefer != "system":
            pytest.fail(str(error))
        pytest.skip(str(error))
    server = LocalServer(folder, prefer)
    yield server
    server.down()


def without_sync(server: LocalServer) -> LocalServer:
    """Tests survive no power cut, and need not wait for the disk."""
    server.layout.folder.mkdir(parents=True, exist_ok=True)
    server.layout.own_settings.write_text("fsync = off\nshared_buffers = 32MB\n")
    return server


@contextmanager
def fresh_database(server: LocalServer) -> Iterator[str]:
    """DSN of an empty database of a server that is up, entered as its owner; gone afterwards."""
    name = sql.Identifier(f"test_{next(_NUMBERS)}")
    with connect(server.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("CREATE DATABASE {}").format(name))
    yield in_database(server.dsn, name.as_string().strip('"'))
    with connect(server.dsn, autocommit=True) as connection:
        connection.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def wait_until(ask: Callable[[], T], seconds: float, what: str) -> T:
    """What `ask` returns, once it is true."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            pytest.fail(f"after {seconds} s still not: {what}")
        time.sleep(0.05)
    return answer


@pytest.fixture(scope="session")
def postgres() -> Iterator[LocalServer]:
    """A server that is up for the whole run, of the programs that a user would get."""
    with short_folder() as folder, server_in(folder / "database") as server:
        without_sync(server).up(SilentReport())
        yield server


@pytest.fixture
def database(postgres: LocalServer) -> Iterator[str]:
    """DSN of an empty database, entered as its owner."""
    with fresh_database(postgres) as dsn:
        yield dsn
