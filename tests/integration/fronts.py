"""The front end of instruments in the test's own process."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from postgres import wait_until
from psycopg.conninfo import make_conninfo

from mlinfn_condor.ingestion.serving import application
from mlinfn_condor.ingestion.settings import Ingestion


def as_rest(dsn: str) -> str:
    return make_conninfo(dsn, user="mlinfn_rest")


@contextmanager
def front(settings: Ingestion, dsn: str) -> Iterator[str]:
    """Its address."""
    config = uvicorn.Config(application(settings, as_rest(dsn)), port=0, http="h11", log_level="error", ws="none")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), 20, "the front end is up")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
