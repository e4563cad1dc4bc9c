"""Rows that are older than their table keeps them go, a few at a time, so that nobody who writes waits for it."""

import sys
from threading import Event

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Connection, Error, connect

AT_ONCE = 10_000
LOOK_SECONDS = 3600.0
AGAIN_SECONDS = 60.0


def forget(connection: Connection) -> dict[str, int]:
    """How many rows went, by table. The connection commits each few by itself."""
    gone = {}
    for (name,) in connection.execute(SQL.text("list_retained")).fetchall():
        gone[name] = 0
        while found := connection.execute(SQL.text("forget_rows"), {"name": name, "most": AT_ONCE}).fetchone():
            gone[name] += found[0]
            if found[0] < AT_ONCE:
                break
    return gone


def run(dsn: str, stop: Event) -> None:
    """Each hour, until `stop`."""
    while not stop.is_set():
        pause = LOOK_SECONDS
        try:
            with connect(dsn, autocommit=True, application="mlinfn retention") as connection:
                forget(connection)
        except (MlinfnError, Error) as error:
            print(f"retention: {' '.join(str(error).split())}; trying again", file=sys.stderr, flush=True)  # noqa: T201
            pause = AGAIN_SECONDS
        stop.wait(pause)
