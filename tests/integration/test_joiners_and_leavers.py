"""Somebody comes and somebody goes, on a real hub, pool and register: everywhere within a minute, and measured."""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import requests
from hub_client import Person, wait_until
from postgres import fresh_database
from psycopg.conninfo import make_conninfo

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import first_settings, lifecycle
from mlinfn_condor.hub.local.layout import HubLayout
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import migrate
from mlinfn_condor.store.local import IDENTITY, LocalServer

WITHIN_SECONDS = 60
"""What a site may count on."""
RUNNING = """executable = /bin/sleep
arguments = 600
transfer_executable = false
should_transfer_files = NO
request_cpus = 1
request_memory = 64
+PriorityClass = "batch"
queue 2
"""


@pytest.fixture(scope="module")
def register(postgres: LocalServer) -> Iterator[str]:
    """DSN of a site's register, as the role that keeps it."""
    with fresh_database(postgres) as dsn:
        migrate(dsn)
        yield make_conninfo(dsn, user=IDENTITY)


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="comings")


@pytest.fixture(scope="module")
def run(settings: Settings, register: str):
    """`mlinfn …`, as an administrator types it."""

    def command(*words: str) -> subprocess.CompletedProcess[str]:
        place = {"MLINFN_HOME": str(settings.home), "MLINFN_POOL": settings.pool, "MLINFN_DATABASE": register}
        line = [sys.executable, "-m", "mlinfn_condor.cli", *words]
        done = subprocess.run(line, env=os.environ | place, capture_output=True, text=True, timeout=120)
        assert done.returncode == 0, done.stderr
        return done

    return command


@pytest.fixture(scope="module")
def hub(settings: Settings, register: str, run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHub]:
    run("identity", "range", "20000", "20099", "--keep-days", "30")
    try:
        pool = pools.up(settings, blueprint=Blueprint(overrides="MLINFN_BELIEVE_LISTED_TOKENS_ONLY = true\n"))
        layout = HubLayout(pool.layout)
        layout.folder.mkdir(mode=0o700, exist_ok=True)
        folder = json.dumps(str(tables(pool.layout.folder)))
        identity = f"[accounts.identity]\ndatabase = {json.dumps(register)}\nfolder = {folder}\n"
        layout.settings.write_text(f"{first_settings.text(layout, pool)}\n{identity}")
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


def tables(pool_folder: Path) -> Path:
    """What pods would mount."""
    return pool_folder / "people"


def seconds_until(told: dict[str, Callable[[], object]], began: float) -> float:
    """From `began` until everything of it is true, within what a site may count on."""
    for what, true in told.items():
        wait_until(true, max(WITHIN_SECONDS - (time.monotonic() - began), 0.1), what)
    return time.monotonic() - began


def test_who_comes_is_in_everywhere_and_who_goes_is_out_everywhere_within_a_minute(
    hub, settings, run, tmp_path, record_property
):
    people = tables(hub.layout.pool.folder)

    def table(name: str) -> str:
        return (people / name).read_text() if (people / name).exists() else ""

    def in_project(name: str) -> list[str]:
        found = [line.split(":")[3] for line in table("group").splitlines() if line.startswith(f"{name}:")]
        return found[0].split(",") if found else []

    def members() -> str:
        return hub.settings.membership.map_file.read_text()

    def with_his_tokens(*command: str) -> bool:
        environment = os.environ | pools.environment(settings) | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(tmp_path / "kept")}
        return subprocess.run(command, env=environment, capture_output=True, cwd=tmp_path, timeout=60).returncode == 0

    def queued(access_point: str) -> str:
        command = ["condor_q", "-name", access_point, "-all", "-constraint", 'Owner == "dora"', "-af", "ClusterId"]
        environment = os.environ | pools.environment(settings, "admin")
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout

    # Two joiners: one by the hub's accounts, one by a file.
    (tmp_path / "guests.toml").write_text('[people.fay]\nprojects = ["beta"]\n')
    began = time.monotonic()
    run("identity", "import", str(tmp_path / "guests.toml"))
    said = run("hub", "account", "add", "dora", "--project", "alpha").stdout
    dora = Person(hub.url, "dora", said.split("password ")[1].strip())
    joined = seconds_until(
        {
            "the pool knows dora's project": lambda: "* dora alpha\n" in members(),
            "pods know dora": lambda: "dora:x:" in table("passwd"),
            "pods know her project": lambda: "dora" in in_project("alpha"),
            "the pool knows fay, of the file": lambda: "* fay beta\n" in members(),
            "pods know fay": lambda: "fay:x:" in table("passwd"),
        },
        began,
    )

    # What dora holds: a session, a token of the hub's, HTCondor tokens that she keeps a copy of, jobs.
    assert dora.start()[-1].get("ready")
    answer = dora.ask("POST", "api/users/dora/tokens", params={"_xsrf": dora._xsrf}, json={})
    bearer = {"Authorization": f"token {answer.json()['token']}"}

    def hub_lets_in() -> bool:
        return requests.get(f"{hub.url}hub/api/user", headers=bearer, timeout=30).status_code == 200

    (tokens,) = hub.layout.pool.homes.glob("dora/.mlinfn/sessions/*/condor/tokens.d")
    shutil.copytree(tokens, tmp_path / "kept")
    (tmp_path / "job.sub").write_text(RUNNING)
    assert with_his_tokens("condor_submit", "-name", "batch@", "job.sub")
    assert hub_lets_in()
    assert queued("batch@")
    assert queued("interactive@")

    # She leaves, and so does fay, whom the file names no more.
    (tmp_path / "guests.toml").write_text('[people.gus]\nprojects = ["beta"]\n')
    began = time.monotonic()
    run("hub", "account", "end", "dora")
    run("identity", "import", str(tmp_path / "guests.toml"), "--leave")
    left = seconds_until(
        {
            "the hub refuses her token": lambda: not hub_lets_in(),
            "the access point refuses hers": lambda: not with_his_tokens("condor_q", "-name", "batch@"),
            "so does that of sessions": lambda: not with_his_tokens("condor_q", "-name", "interactive@"),
            "so does the collector": lambda: not with_his_tokens("condor_status", "-any"),
            "she belongs to no project": lambda: "dora" not in members() and "dora" not in in_project("alpha"),
            "pods know her no more as somebody who works": lambda: "nologin" in table("passwd"),
            "her session is over": lambda: not queued("interactive@"),
            "her jobs are gone": lambda: not queued("batch@"),
            "fay has left and gus has come": lambda: "fay" not in members() and "* gus beta\n" in members(),
            "fay's tokens are void": lambda: "* fay " in hub.settings.membership.leavers_map.read_text(),
        },
        began,
    )
    gone = {one["name"]: one for one in json.loads(run("identity", "leavers", "--json").stdout)}
    assert gone.keys() == {"dora", "fay"}
    assert all(one["deletable"] > one["left"] for one in gone.values())
    assert (hub.layout.pool.homes / "dora").is_dir(), "her data stay"
    assert max(joined, left) < WITHIN_SECONDS, f"joined in {joined:.1f} s, left in {left:.1f} s"
    record_property("joined_s", round(joined, 1))
    record_property("left_s", round(left, 1))


def test_nothing_secret_of_a_session_is_in_what_another_user_may_read(hub, settings):
    """A job's or a session's token, another's to find: its files are its user's alone, and no daemon tells of them."""
    alice = Person(hub.url, "alice", hub.passwords["alice"])
    assert alice.start()[-1].get("ready")
    (folder,) = hub.layout.pool.homes.glob("alice/.mlinfn/sessions/*")
    assert folder.stat().st_mode & 0o077 == 0
    secrets = {file.name: file.read_text() for file in folder.rglob("*") if file.is_file() and is_secret(file)}
    variables = json.loads((folder / "env.json").read_text())
    secrets |= {name: text for name, text in variables.items() if "TOKEN" in name and "DIRECTORY" not in name}
    assert {"alice", "JUPYTERHUB_API_TOKEN"} <= secrets.keys(), "HTCondor's token and the hub's"

    environment = os.environ | pools.environment(settings, "bob")
    told = ""
    for where in ("batch@", "interactive@"):
        for words in (["condor_q", "-all"], ["condor_history", "-limit", "50"]):
            command = [*words, "-name", where, "-long"]
            told += subprocess.run(
                command, env=environment, capture_output=True, text=True, check=True, timeout=60
            ).stdout
    command = ["condor_status", "-any", "-long"]
    told += subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60).stdout
    assert 'Owner = "alice"' in told, "bob sees her job"
    for name, text in secrets.items():
        for word in re.findall(r"[A-Za-z0-9_.-]{24,}", text):
            assert word not in told, f"something of {name} is in an ad"
    alice.stop()


def is_secret(file: Path) -> bool:
    return "tokens.d" in file.parts or file.suffix == ".key"
