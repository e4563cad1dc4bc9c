"""The gate to PostgreSQL: the only importer of psycopg."""

from psycopg import Connection, Error

from mlinfn_condor.store.connection import connect
from mlinfn_condor.store.errors import MigrationFailed, MirrorFailed, ServerFailed, StoreError, StoreUnreachable
from mlinfn_condor.store.migrating import migrate
from mlinfn_condor.store.site import dsn_of_site
from mlinfn_condor.store.statements import Statements

__all__ = [
    "Connection",
    "Error",
    "MigrationFailed",
    "MirrorFailed",
    "ServerFailed",
    "Statements",
    "StoreError",
    "StoreUnreachable",
    "connect",
    "dsn_of_site",
    "migrate",
]
