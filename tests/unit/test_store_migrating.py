"""What is applied, and what is refused, decided without a server."""

from pathlib import Path

import pytest

from mlinfn_condor.store.errors import MigrationFailed
from mlinfn_condor.store.migrating import Applied, Migration, missing, read, shipped_migrations

ONE = Migration(1, "0001-make-devices.sql", "CREATE TABLE device ();")
TWO = Migration(2, "0002-add-jobs.sql", "CREATE TABLE job ();")


def row(migration: Migration) -> Applied:
    return Applied(migration.number, migration.name, migration.sha256)


@pytest.mark.parametrize(
    ("done", "todo"), [([], [ONE, TWO]), ([row(ONE)], [TWO]), ([row(ONE), row(TWO)], [])], ids=["new", "half", "all"]
)
def test_what_is_missing_is_applied_in_order(done: list[Applied], todo: list[Migration]) -> None:
    assert missing([ONE, TWO], done) == todo


def test_a_file_that_was_changed_after_it_was_applied_is_named() -> None:
    with pytest.raises(MigrationFailed, match=r"0001-make-devices.sql is not what was applied"):
        missing([ONE], [Applied(1, ONE.name, "another sum")])


def test_a_file_that_was_renamed_after_it_was_applied_is_named() -> None:
    with pytest.raises(MigrationFailed, match=r"applied as 0001-make-slots.sql"):
        missing([ONE], [Applied(1, "0001-make-slots.sql", ONE.sha256)])


def test_a_database_that_is_newer_than_the_program_says_so() -> None:
    with pytest.raises(MigrationFailed, match=r"newer than this program.*0002-add-jobs.sql.*0001-make-devices.sql"):
        missing([ONE], [row(ONE), row(TWO)])


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (["0001-make-a.sql", "0003-make-c.sql"], r"0002 is missing: 0003-make-c.sql"),
        (["0002-make-b.sql"], r"0001 is missing"),
        (["0001-make-a.sql", "0001-make-b.sql"], r"two migrations have the number 0001: .*make-a.* and .*make-b"),
        (["0001-make-a.sql", "2-make-b.sql"], r"no name of a migration: 2-make-b.sql"),
        (["0001.sql"], r"no name of a migration: 0001.sql"),
        (["0001-a.sql"], r"no name of a migration: 0001-a.sql"),
    ],
)
def test_a_folder_that_is_not_in_order_is_refused(tmp_path: Path, names: list[str], told: str) -> None:
    for name in names:
        (tmp_path / name).write_text("SELECT 1")
    with pytest.raises(MigrationFailed, match=told):
        read(tmp_path)


def test_only_sql_files_are_migrations_and_line_ends_do_not_count(tmp_path: Path) -> None:
    (tmp_path / "README.md").write_text("about")
    (tmp_path / "0001-make-a.sql").write_bytes(b"SELECT\r\n1")
    (found,) = read(tmp_path)
    assert found == Migration(1, "0001-make-a.sql", "SELECT\n1")


def test_the_shipped_migrations_are_in_order() -> None:
    assert [migration.number for migration in read(shipped_migrations())] == list(
        range(1, len(read(shipped_migrations())) + 1)
    )
