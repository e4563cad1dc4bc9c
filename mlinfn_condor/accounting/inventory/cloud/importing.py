"""A cloud's servers into the database: one import at a time, in one transaction."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime

from mlinfn_condor.accounting.inventory.cloud.deciding import decide
from mlinfn_condor.accounting.inventory.cloud.meaning import Meaning
from mlinfn_condor.accounting.inventory.cloud.server import Server
from mlinfn_condor.accounting.inventory.importing import Difference, replace
from mlinfn_condor.accounting.inventory.rows import Grant
from mlinfn_condor.store import Connection, Statements

SQL = Statements("mlinfn_condor.accounting.inventory.cloud")
Listing = Callable[[datetime | None], list[Server]]
"""The servers that are there, and those deleted since that moment (None: ever)."""


@dataclass(frozen=True)
class Imported:
    """What changed, and the servers that are nodes of the pool: they are accounted as such, and given to nobody."""

    difference: Difference
    of_the_pool: tuple[str, ...]


def import_cloud(
    connection: Connection,
    source: str,
    listing: Listing,
    meaning: Meaning,
    *,
    anew: bool = False,
    dry_run: bool = False,
) -> Imported:
    """Raises InventoryWrong, and what the listing raises; then nothing is changed."""
    with connection.transaction():
        connection.execute(SQL.text("hold_imports"))
        known = _known(connection, source)
        now = datetime.now(UTC).replace(microsecond=0)
        servers = listing(None if anew else deleted_since(known))
        nodes = [name for (name,) in connection.execute(SQL.text("list_pool_nodes")).fetchall()]
        decision = decide(servers, known, nodes, meaning, now, anew=anew)
        return Imported(replace(connection, source, list(decision.grants), dry_run=dry_run), decision.of_the_pool)


def deleted_since(known: list[Grant]) -> datetime | None:
    """The earliest end that is not known yet: of what is still there, else after all that ended."""
    still = [grant.since for grant in known if grant.until is None]
    return min(still) if still else max((grant.until for grant in known if grant.until), default=None)


def _known(connection: Connection, source: str) -> list[Grant]:
    rows = connection.execute(SQL.text("list_known"), {"source": source}).fetchall()
    return [
        Grant(0, name, (device,) if device else (), kind, model, owner, given, cpus, memory_mb, since, until)
        for name, device, kind, model, owner, given, cpus, memory_mb, since, until in rows
    ]
