"""Inventories on a real database: the truth for the devices they name, the same after the second time."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from mlinfn_condor.accounting.inventory.importing import Difference, replace
from mlinfn_condor.accounting.inventory.rows import InventoryWrong, read
from mlinfn_condor.store import Connection, connect, migrate

HEADER = "name,device,devices,model,owner_project,given_to,cpus,from,until\n"
VM = "vm1,,2,A100,alpha,beta,16,2026-02-01,2026-03-01\n"


@pytest.fixture
def connection(database: str) -> Iterator[Connection]:
    migrate(database)
    with connect(database, autocommit=True) as connection:
        yield connection


def take(connection: Connection, *rows: str, source: str = "loans", dry_run: bool = False) -> Difference:
    return replace(connection, source, read([HEADER, *rows]), dry_run=dry_run)


def periods(connection: Connection) -> list[tuple[object, ...]]:
    ask = "SELECT device, lower(during), upper(during), source FROM mlinfn.device_period ORDER BY 1, 2"
    return connection.execute(ask).fetchall()


def day(month: int, number: int = 1) -> datetime:
    return datetime(2026, month, number, tzinfo=UTC)


def test_the_second_time_changes_nothing(connection: Connection) -> None:
    first = take(connection, VM)
    assert [(c.name, c.device) for c in first.new] == [("vm1", "vm1/0"), ("vm1", "vm1/1"), ("vm1", "")]
    assert take(connection, VM) == Difference((), (), ())


def test_a_changed_file_replaces_what_differs(connection: Connection) -> None:
    take(connection, VM)
    changed = take(connection, VM.replace("vm1,,2", "vm1,,1").replace(",16,", ",8,"))
    assert [c.device for c in changed.gone] == ["vm1/1", ""]
    assert [c.device for c in changed.new] == [""]
    assert connection.execute("SELECT cpus FROM mlinfn.machine_grant").fetchall() == [(8,)]
    assert len(take(connection).gone) == 2
    assert periods(connection) == []


def test_periods_of_the_pool_give_way_and_their_days_are_added_up_again(connection: Connection) -> None:
    connection.execute("INSERT INTO mlinfn.device VALUES ('n1', 'GPU-1', 'gpu', 'A100')")
    connection.execute(
        "INSERT INTO mlinfn.device_period VALUES ('n1', 'GPU-1', '[2026-01-01Z, 2026-06-01Z)', '', '', 'pool')"
    )
    connection.execute("INSERT INTO mlinfn.day_state VALUES ('2026-01-10', 'epoch'), ('2026-02-10', 'epoch')")
    row = "n1,GPU-1,,A100,alpha,,,2026-02-01,2026-03-01\n"
    assert [c.device for c in take(connection, row).cut] == ["GPU-1"]
    assert periods(connection) == [
        ("GPU-1", day(1), day(2), "pool"),
        ("GPU-1", day(2), day(3), "loans"),
        ("GPU-1", day(3), day(6), "pool"),
    ]
    marked = connection.execute("SELECT changed_at > 'epoch' FROM mlinfn.day_state ORDER BY day").fetchall()
    assert marked == [(True,), (True,)]
    assert take(connection, row) == Difference((), (), ())


def test_a_dry_run_tells_and_changes_nothing(connection: Connection) -> None:
    assert len(take(connection, VM, dry_run=True).new) == 3
    assert periods(connection) == []
    assert connection.execute("SELECT count(*) FROM mlinfn.device").fetchall() == [(0,)]


def test_two_inventories_that_disagree_are_refused(connection: Connection) -> None:
    take(connection, VM)
    before = periods(connection)
    with pytest.raises(InventoryWrong, match="vm1 vm1/0: inventory 'loans' grants it in that time too"):
        take(connection, VM, source="other")
    with pytest.raises(InventoryWrong, match="cannot be called 'pool'"):
        take(connection, VM, source="pool")
    assert periods(connection) == before
