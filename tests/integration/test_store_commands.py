"""`mlinfn db …` as a person types it, on a private server of his."""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from postgres import short_folder

from mlinfn_condor.store import connect
from mlinfn_condor.store.errors import ServerFailed
from mlinfn_condor.store.local import LocalServer, programs

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture(scope="module")
def home() -> Iterator[Path]:
    """MLINFN_HOME of somebody who never had a database."""
    try:
        programs.find()
    except ServerFailed as error:
        pytest.fail(str(error)) if os.environ.get("MLINFN_REQUIRE_DAEMONS") else pytest.skip(str(error))
    with short_folder() as folder:
        yield folder
        LocalServer(folder / "database").down()


@pytest.fixture(scope="module")
def run(home: Path) -> Run:
    def run(*words: str, **variables: str) -> subprocess.CompletedProcess[str]:
        kept = {name: value for name, value in os.environ.items() if not name.startswith("MLINFN_")}
        environment = kept | {"MLINFN_HOME": str(home)} | variables
        command = [sys.executable, "-m", "mlinfn_condor.cli", "db", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=120)

    return run


@pytest.fixture
def up(run: Run) -> None:
    done = run("up")
    assert done.returncode == 0, done.stderr


def only_line(done: subprocess.CompletedProcess[str]) -> str:
    """The one line of an error, without a traceback; what follows is the page that helps, if there is one."""
    assert done.returncode == 1
    assert done.stdout == ""
    line, *pages = done.stderr.splitlines()
    assert pages in ([], ["mlinfn: read on in docs/database.md#when-something-is-wrong"])
    return line


def test_before_the_first_up_every_command_says_what_to_do(run: Run) -> None:
    for words in (["status"], ["migrate"], ["url"], ["shell"], ["mirror", "--to", "dbname=main"]):
        assert "`mlinfn db up` starts a private one" in only_line(run(*words))
    assert run("down").stdout == "the database was not up\n"


def test_up_is_up_and_up_to_date_and_a_second_up_finds_it(run: Run, up: None) -> None:
    assert run("up").stdout.startswith("the database was up already: PostgreSQL")
    assert run("migrate").stdout == "the schema is up to date\n"
    told = json.loads(run("status", "--json").stdout)
    assert told["missing"] == []
    assert told["free_bytes"] > 0
    assert "none missing" in run("status").stdout


def test_the_address_leads_in(run: Run, up: None) -> None:
    with connect(run("url").stdout.strip()) as connection:
        assert connection.execute("SELECT current_user, current_database()").fetchone() == ("mlinfn_owner", "mlinfn")


def test_the_shell_is_psql_in_the_database(run: Run, up: None) -> None:
    asked = run("shell", "--", "-Atc", "SELECT current_user || ' in ' || current_database()")
    assert asked.stdout == "mlinfn_owner in mlinfn\n"


def test_a_database_of_the_site_goes_before_the_private_one(run: Run, up: None) -> None:
    site = "postgresql://alice:hush@127.0.0.1:1/site"
    line = only_line(run("status", MLINFN_DATABASE=site))
    assert "no way into database site at 127.0.0.1:1 as alice" in line
    assert "hush" not in line
    assert "while MLINFN_DATABASE is set" in run("up", MLINFN_DATABASE=site).stdout


def test_a_wrong_dsn_is_one_line(run: Run) -> None:
    assert "this is no DSN of PostgreSQL" in only_line(run("migrate", "--dsn", "nonsense"))


def test_who_may_not_is_told_so_in_one_line(run: Run, up: None) -> None:
    run("shell", "--", "-qc", "CREATE ROLE mlinfn_recorder LOGIN")
    foreign = run("url", "--as", "recorder").stdout.strip().replace("/mlinfn?", "/postgres?")
    line = only_line(run("migrate", "--dsn", foreign))
    assert "permission denied" in line
    assert "with the DSN of its owner" in line


def test_mirror_without_a_target_says_so(run: Run, up: None) -> None:
    assert "--to says which database" in only_line(run("mirror"))
    assert run("mirror", "--remove").stdout == "the mirror of demo did not exist\n"


def test_down_is_down(run: Run, up: None) -> None:
    assert run("down").stdout == "the database is down\n"
    assert "`mlinfn db up`" in only_line(run("status"))
