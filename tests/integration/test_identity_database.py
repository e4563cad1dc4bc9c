"""The register's own guards in PostgreSQL, whoever gets in; and its commands."""

import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from mlinfn_condor.identity.database import DatabaseRegister
from mlinfn_condor.store import connect, migrate

FOR_EVER = {
    "take a person away": "DELETE FROM mlinfn_identity.person",
    "take everybody away": "TRUNCATE mlinfn_identity.person CASCADE",
    "give a person another number": "UPDATE mlinfn_identity.person SET uid = uid + 1000",
    "take a project away": "DELETE FROM mlinfn_identity.project",
    "give a project another number": "UPDATE mlinfn_identity.project SET gid = gid + 1000",
    "give a project's group to another": "UPDATE mlinfn_identity.project SET name = 'gamma' WHERE name = 'alpha'",
    "make somebody root": "INSERT INTO mlinfn_identity.person (uid, name, joined_at) VALUES (0, 'eve', now())",
    "put a line more into passwd": r"UPDATE mlinfn_identity.person SET name = E'x\nroot:x:0:0'",
    "give a person a project's number": "INSERT INTO mlinfn_identity.person (uid, name, joined_at)"
    " SELECT gid, 'eve', now() FROM mlinfn_identity.project LIMIT 1",
    "give one name to two": "INSERT INTO mlinfn_identity.person (uid, name, joined_at) VALUES (30000, 'dora', now())",
}
PERSONS, ATTEMPTS = "SELECT * FROM mlinfn_identity.person", "SELECT * FROM mlinfn.attempt"
SCHEDULES = "SELECT * FROM mlinfn_schedule.schedule"
OVERSTEPS = {
    "recorder": [PERSONS, SCHEDULES, "INSERT INTO mlinfn_identity.site VALUES (true, 1000, 2000, 0)"],
    "reports": [PERSONS, SCHEDULES, "INSERT INTO mlinfn.attempt DEFAULT VALUES", "CREATE TABLE mlinfn.mine ()"],
    "schedules": [PERSONS, ATTEMPTS, "DELETE FROM mlinfn_schedule.schedule"],
    "identity": [
        ATTEMPTS,
        SCHEDULES,
        "CREATE TABLE mlinfn_identity.mine ()",
        "DELETE FROM mlinfn_identity.former_name",
        "UPDATE mlinfn_identity.person SET joined_at = now()",
        "ALTER TABLE mlinfn_identity.person DISABLE TRIGGER keep_numbers",
    ],
}
PEOPLE = '[people.dora]\nprojects = ["alpha", "beta"]\n[people.emil]\nprojects = ["beta"]\nuid = 4711\n'


@pytest.fixture
def site(database: str) -> str:
    migrate(database)
    return database


@pytest.fixture
def identity(site: str, tmp_path: Path):
    """`mlinfn identity …`, as an administrator types it."""
    (tmp_path / "people.toml").write_text(PEOPLE)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "mlinfn_condor.cli", "identity", *words, "--dsn", site]
        return subprocess.run(
            command, env=os.environ | {"COLUMNS": "200"}, cwd=tmp_path, capture_output=True, text=True, timeout=120
        )

    return run


def fill(site: str) -> None:
    with connect(site) as connection:
        connection.execute("INSERT INTO mlinfn_identity.person (uid, name, joined_at) VALUES (20000, 'dora', now())")
        connection.execute("INSERT INTO mlinfn_identity.project VALUES ('alpha', 20001)")


@pytest.mark.parametrize("what", FOR_EVER)
def test_not_even_the_owner_of_the_tables_can(site, what):
    fill(site)
    with connect(site) as connection, pytest.raises(psycopg.IntegrityError):
        connection.execute(FOR_EVER[what])
    assert [person.uid for person in DatabaseRegister(site).people().persons] == [20000]


@pytest.mark.parametrize("role", OVERSTEPS)
def test_a_role_of_the_database_does_what_it_is_for_and_nothing_else(site, role):
    with connect(site, autocommit=True) as connection:
        connection.execute(f"SET ROLE mlinfn_{role}")
        for statement in OVERSTEPS[role]:
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
        assert connection.execute(
            "SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user"
        ).fetchone() == (False,)


def test_a_site_without_a_provider_from_a_file_to_its_leavers(identity, tmp_path):
    said = identity("import", "people.toml")
    assert said.returncode == 1
    assert "mlinfn identity range" in said.stderr
    assert identity("range", "20000", "20099", "--keep-days", "0").returncode == 0
    assert identity("import", "people.toml").returncode == 0, "the first import"
    told = json.loads(identity("list", "--json").stdout)
    assert {one["name"]: one["uid"] for one in told["people"]} == {"emil": 4711, "dora": 20000}
    assert set(told["projects"]) == {"alpha", "beta"}
    assert "dora" in identity("list").stdout
    assert identity("render", str(tmp_path / "out")).returncode == 0
    assert "emil:x:4711:4711::/home/emil:/bin/bash" in (tmp_path / "out" / "passwd").read_text()

    (tmp_path / "people.toml").write_text('[people.dora]\nprojects = ["alpha"]\n')
    said = identity("import", "people.toml")
    assert said.returncode == 1
    assert "no longer names emil" in said.stderr
    assert json.loads(identity("leavers", "--json").stdout) == []
    assert identity("import", "people.toml", "--leave").returncode == 0
    (leaver,) = json.loads(identity("leavers", "--json").stdout)
    assert (leaver["name"], leaver["uid"]) == ("emil", 4711)
    assert "4711" in identity("release", "emil").stdout
    assert json.loads(identity("leavers", "--json").stdout) == []


def test_what_clashes_in_an_image_is_told_with_exit_code_one(identity, tmp_path):
    identity("range", "20000", "20099")
    identity("import", "people.toml")
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\nintruder:x:4711:4711::/:/bin/sh\n")
    (tmp_path / "group").write_text("root:x:0:\n")
    said = identity("check", "--passwd", "passwd", "--group", "group")
    assert said.returncode == 1
    assert said.stderr.strip() == "mlinfn: emil (4711): that number is account intruder's there"
    (tmp_path / "passwd").write_text("root:x:0:0::/root:/bin/sh\n")
    assert identity("check", "--passwd", "passwd", "--group", "group").returncode == 0
