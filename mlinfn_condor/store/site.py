"""Which database a command or service speaks to when nobody says more."""

import os

from mlinfn_condor.settings import Settings
from mlinfn_condor.store.errors import StoreUnreachable
from mlinfn_condor.store.local import OWNER, LocalServer

VARIABLE = "MLINFN_DATABASE"
"""Environment variable with the DSN of the site's database."""


def dsn_of_site(explicit: str | None = None, settings: Settings | None = None, role: str = OWNER) -> str:
    """`explicit`, else $MLINFN_DATABASE, else this user's private server, entered as `role`.

    A DSN that a site gives says itself who enters, so `role` is for the private server alone.
    Raises StoreUnreachable when there is none of the three.
    """
    if given := explicit or os.environ.get(VARIABLE):
        return given
    server = local_server(settings)
    if server.running() is None:
        raise StoreUnreachable(
            f"no database: `mlinfn db up` starts a private one, or set {VARIABLE} or --dsn to the site's DSN"
        )
    return server.dsn_as(role)


def local_server(settings: Settings | None = None) -> LocalServer:
    """The private server of this user; it lies in MLINFN_HOME/database and serves all his pools."""
    return LocalServer((settings or Settings()).home / "database")
