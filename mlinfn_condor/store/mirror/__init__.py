"""Mirroring a site's database to a main PostgreSQL by logical replication."""

from mlinfn_condor.store.mirror.set_up import mirror, remove
from mlinfn_condor.store.mirror.source import Mirror, mirrors

__all__ = ["Mirror", "mirror", "mirrors", "remove"]
