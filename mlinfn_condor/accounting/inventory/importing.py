"""One inventory into the database, in one transaction: what it says takes the place of what it said before."""

from dataclasses import asdict, dataclass
from datetime import datetime

from mlinfn_condor.accounting.inventory.rows import Grant, InventoryWrong
from mlinfn_condor.store import Connection, Statements

SQL = Statements("mlinfn_condor.accounting.inventory")
POOL = "pool"


@dataclass(frozen=True)
class Change:
    """A period that ends or begins. `device` empty: the machine itself; `until` None: without an end."""

    name: str
    device: str
    since: datetime
    until: datetime | None


@dataclass(frozen=True)
class Difference:
    """What an import changes: this source's periods, and those of the pool that gave way to them, whole or in part."""

    gone: tuple[Change, ...]
    new: tuple[Change, ...]
    cut: tuple[Change, ...]


def replace(connection: Connection, source: str, grants: list[Grant], *, dry_run: bool = False) -> Difference:
    """Store the grants as all that `source` says. Raises InventoryWrong where another inventory says otherwise."""
    if not source or source == POOL:
        raise InventoryWrong(f"an inventory cannot be called {source!r}: choose another --source")
    with connection.transaction(force_rollback=dry_run):
        connection.execute(SQL.text("hold_periods"))
        _stage(connection, grants)
        rivals = connection.execute(SQL.text("find_rivals"), {"source": source}).fetchall()
        if rivals:
            told = [
                f"{node} {device}: inventory {rival!r} grants it in that time too" for node, device, rival in rivals
            ]
            raise InventoryWrong("nothing was imported:\n" + "\n".join(told))
        connection.execute(SQL.text("know_devices"))
        gone = [*_changes(connection, "end_periods", source), *_changes(connection, "end_machines", source)]
        cut = _changes(connection, "cut_pool_periods", source)
        new = [*_changes(connection, "begin_periods", source), *_changes(connection, "begin_machines", source)]
        if changed := [*gone, *cut, *new]:
            connection.execute(SQL.text("mark_days"), {"since": min(change.since for change in changed)})
    return Difference(tuple(gone), tuple(new), tuple(cut))


def _stage(connection: Connection, grants: list[Grant]) -> None:
    connection.execute(SQL.text("stage"))
    connection.execute(SQL.text("stage_machines"))
    devices = [{**asdict(g), "node": g.name, "device": device} for g in grants for device in g.devices]
    with connection.cursor() as cursor:
        cursor.executemany(SQL.text("stage_grant"), devices)
        cursor.executemany(SQL.text("stage_machine"), [asdict(g) for g in grants if g.tells_machine])


def _changes(connection: Connection, statement: str, source: str) -> list[Change]:
    return [Change(*row) for row in connection.execute(SQL.text(statement), {"source": source}).fetchall()]
