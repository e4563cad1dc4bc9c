"""Migrations on a real server: once each, in order, whole or not at all, also from two places at once."""

import threading
from pathlib import Path

import pytest
from postgres import wait_until

from mlinfn_condor.store import MigrationFailed, StoreUnreachable, connect, migrate
from mlinfn_condor.store.local import LocalServer

FIRST = "CREATE TABLE mlinfn.device (name text PRIMARY KEY);\nINSERT INTO mlinfn.device VALUES ('100 %s');"
SECOND = "ALTER TABLE mlinfn.device ADD COLUMN model text;"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "0001-make-devices.sql").write_text(FIRST)
    (tmp_path / "0002-add-models.sql").write_text(SECOND)
    return tmp_path


def tables(dsn: str) -> list[str]:
    with connect(dsn) as connection:
        found = connection.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'mlinfn' ORDER BY 1").fetchall()
    return [name for (name,) in found]


def test_each_is_applied_once_and_the_names_are_told(database: str, folder: Path) -> None:
    assert migrate(database, folder) == ["0001-make-devices.sql", "0002-add-models.sql"]
    assert migrate(database, folder) == []
    (folder / "0003-make-jobs.sql").write_text("CREATE TABLE mlinfn.job ();")
    assert migrate(database, folder) == ["0003-make-jobs.sql"]
    assert tables(database) == ["device", "job", "migration"]


def test_a_migration_that_fails_leaves_nothing_and_names_its_line(database: str, folder: Path) -> None:
    (folder / "0003-make-jobs.sql").write_text("CREATE TABLE mlinfn.job ();\n\nSELECT * FROM nowhere;")
    with pytest.raises(MigrationFailed, match=r'0003-make-jobs.sql, line 3: relation "nowhere" does not exist'):
        migrate(database, folder)
    assert tables(database) == ["device", "migration"]
    (folder / "0003-make-jobs.sql").write_text("CREATE TABLE mlinfn.job ();")
    assert migrate(database, folder) == ["0003-make-jobs.sql"]


def test_a_migration_that_ends_its_own_transaction_is_refused(database: str, folder: Path) -> None:
    (folder / "0003-make-jobs.sql").write_text("COMMIT;")
    with pytest.raises(MigrationFailed, match=r"0003-make-jobs.sql ends its own transaction"):
        migrate(database, folder)


def test_a_changed_file_is_refused(database: str, folder: Path) -> None:
    migrate(database, folder)
    (folder / "0001-make-devices.sql").write_text(FIRST + "\n")
    with pytest.raises(MigrationFailed, match=r"0001-make-devices.sql is not what was applied"):
        migrate(database, folder)


def test_two_at_once_do_each_thing_once(database: str, folder: Path) -> None:
    (folder / "0003-take-time.sql").write_text("SELECT pg_advisory_xact_lock(1);")
    told: list[list[str]] = []
    with connect(database) as gate, connect(database, autocommit=True) as watch:
        gate.execute("SELECT pg_advisory_xact_lock(1)")
        threads = [threading.Thread(target=lambda: told.append(migrate(database, folder))) for _ in range(3)]
        for thread in threads:
            thread.start()
        # One is inside its third file, the others wait for it: only now may it go on.
        waiting = (
            "SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND datname = current_database()"
        )
        wait_until(lambda: watch.execute(waiting).fetchone() == (3,), 30, "all three wait")
        gate.rollback()
    for thread in threads:
        thread.join(60)
    assert sorted(map(len, told)) == [0, 0, 3]


def test_who_has_no_rights_is_told_in_one_line(postgres: LocalServer, database: str, folder: Path) -> None:
    with connect(postgres.dsn, autocommit=True) as connection:
        connection.execute("DROP ROLE IF EXISTS mlinfn_reports")
        connection.execute("CREATE ROLE mlinfn_reports LOGIN")
    with pytest.raises(MigrationFailed, match=r"permission denied for database .*owner") as caught:
        migrate(database.replace("mlinfn_owner", "mlinfn_reports"), folder)
    assert "\n" not in str(caught.value)


def test_a_server_that_is_down_is_told_in_one_line(tmp_path: Path, folder: Path) -> None:
    with pytest.raises(StoreUnreachable, match="is the server up"):
        migrate(f"host={tmp_path} dbname=mlinfn", folder)
