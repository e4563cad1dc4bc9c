"""Accounts on a real hub and pool: there within seconds of the command, and gone with everything when they end."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import requests
from hub_client import Person, wait_until

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.local import REFUSED
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

HEARD_SECONDS = 10
"""From the command until the access points have read the map."""
END_SECONDS = 60
"""A round of the accounts service, and the time a session takes to leave."""
BATCH = """executable = /bin/sleep
arguments = 0
transfer_executable = false
should_transfer_files = NO
hold = true
+PriorityClass = "batch"
queue
"""


@pytest.fixture(scope="module")
def settings(pool_home: Path) -> Settings:
    return Settings(home=pool_home, pool="accounts")


@pytest.fixture(scope="module")
def hub(settings: Settings) -> Iterator[RunningHub]:
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture
def account(settings: Settings):
    """`mlinfn hub account …`, as an administrator types it."""

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        environment = os.environ | {"MLINFN_HOME": str(settings.home), "MLINFN_POOL": settings.pool}
        command = [sys.executable, "-m", "mlinfn_condor.cli", "hub", "account", *words]
        return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)

    return run


def password_in(done: subprocess.CompletedProcess[str]) -> str:
    assert done.returncode == 0, done.stderr
    return done.stdout.split("password ")[1].strip()


def mapped(hub: RunningHub) -> dict[str, str]:
    lines = hub.settings.membership.map_file.read_text().splitlines()
    return {user: projects for _, user, projects in map(str.split, lines)}


@dataclass
class Pass:
    """A token for the hub's API, as a program of the user's would hold it."""

    url: str
    text: str

    @classmethod
    def of(cls, person: Person) -> "Pass":
        path = f"api/users/{person.name}/tokens"
        answer = person.ask("POST", path, params={"_xsrf": person._xsrf}, json={})
        assert answer.status_code == 201, answer.text
        return cls(person.url, answer.json()["token"])

    def holder(self) -> str | None:
        """Whom the hub takes the holder for; None when it refuses him."""
        headers = {"Authorization": f"token {self.text}"}
        answer = requests.get(f"{self.url}hub/api/user", headers=headers, timeout=30)
        return answer.json()["name"] if answer.status_code == 200 else None


def queue(settings: Settings, user: str, access_point: str = "interactive@") -> str:
    """Owner and project of each of the user's jobs, as the access point tells."""
    fields = ["-constraint", f'Owner == "{user}"', "-af", "Owner", "Project"]
    command = ["condor_q", "-name", access_point, "-all", *fields]
    environment = os.environ | pools.environment(settings, "admin")
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=60)
    return done.stdout.strip()


def submit(settings: Settings, tokens: Path) -> subprocess.CompletedProcess[str]:
    """A batch job by somebody who has nothing but these tokens."""
    (tokens.parent / "job.sub").write_text(BATCH)
    environment = os.environ | pools.environment(settings) | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(tokens)}
    command = ["condor_submit", "-terse", "-name", "batch@", str(tokens.parent / "job.sub")]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a user keeps a copy of what his session had."""
    return tmp_path_factory.mktemp("kept")


def test_an_account_of_the_command_starts_its_first_session_at_once(hub, settings, account, kept):
    dora = Person(hub.url, "dora", password_in(account("add", "dora", "--project", "alpha", "--days", "1")))
    assert dora.answer.status_code == 200
    events = dora.start()  # at once: whoever starts waits for his membership
    assert events[-1].get("ready"), events
    assert queue(settings, "dora") == "dora alpha"
    (tokens,) = hub.layout.pool.homes.glob("dora/.mlinfn/sessions/*/condor/tokens.d")
    shutil.copytree(tokens, kept / "tokens.d")
    done = submit(settings, kept / "tokens.d")
    assert done.returncode == 0, done.stderr
    dora.stop()


def test_the_access_points_hear_of_an_account_within_seconds(hub, account):
    began = time.monotonic()
    assert account("add", "erin", "--project", "beta", "--elsewhere").returncode == 0
    store = Store(hub.settings.accounts_folder)
    wait_until(lambda: "erin" in membership.applied(store, "interactive@"), HEARD_SECONDS, "erin is read")
    assert mapped(hub)["erin"] == "beta"
    assert time.monotonic() - began < HEARD_SECONDS


def test_when_an_account_ends_everything_of_it_does_and_not_before(hub, settings, account, kept):
    carol = Person(hub.url, "carol", hub.passwords["carol"])
    assert carol.start()[-1].get("ready")
    held = Pass.of(carol)
    assert held.holder() == "carol"
    assert queue(settings, "carol").startswith("carol ")
    assert "carol" in mapped(hub)
    (tokens,) = hub.layout.pool.homes.glob("carol/.mlinfn/sessions/*/condor/tokens.d")
    shutil.copytree(tokens, kept / "carol" / "tokens.d")
    assert submit(settings, kept / "carol" / "tokens.d").returncode == 0
    assert queue(settings, "carol", "batch@").startswith("carol ")
    end = datetime.now().astimezone() + timedelta(seconds=12)
    done = account("extend", "carol", "--until", end.isoformat())
    assert done.returncode == 0, done.stderr

    wait_until(lambda: held.holder() is None, END_SECONDS, "carol's API token is refused")
    assert datetime.now().astimezone() >= end
    wait_until(lambda: not queue(settings, "carol"), END_SECONDS, "carol's session has left the queue")
    wait_until(lambda: not queue(settings, "carol", "batch@"), END_SECONDS, "so has her batch job")
    wait_until(lambda: "carol" not in mapped(hub), END_SECONDS, "carol belongs nowhere")
    again = Person(hub.url, "carol", hub.passwords["carol"])
    assert again.answer.status_code == 403
    assert REFUSED in again.answer.text

    def refused() -> bool:
        done = submit(settings, kept / "carol" / "tokens.d")
        return done.returncode != 0 and "AUTHENTICATE" in done.stderr

    wait_until(refused, HEARD_SECONDS, "the token that carol kept is void")


def test_an_account_that_is_extended_is_good_again(hub, account):
    assert account("end", "carol").returncode == 0
    assert account("extend", "carol").returncode == 0
    carol = Person(hub.url, "carol", hub.passwords["carol"])
    assert carol.answer.status_code == 200
    assert carol.start()[-1].get("ready")
    carol.stop()


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (("add", "fred", "--project", "gamma"), "no project gamma"),
        (("add", "../fred", "--project", "alpha"), "cannot be used"),
        (("add", "hub", "--project", "alpha"), "is a role of this pool"),
        (("add", "fred", "--project", "alpha", "--until", "2020-01-01"), "is over already"),
        (("end", "fred"), "no account fred"),
    ],
)
def test_what_cannot_be_is_one_line_and_changes_nothing(hub, account, words, sentence):
    before = Store(hub.settings.accounts_folder).path.read_bytes()
    done = account(*words)
    assert done.returncode != 0
    assert sentence in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1, done.stderr
    assert Store(hub.settings.accounts_folder).path.read_bytes() == before


def test_who_comes_later_under_a_removed_name_inherits_nothing(hub, account):
    first = Person(hub.url, "gina", password_in(account("add", "gina", "--project", "alpha")))
    held = Pass.of(first)
    assert held.holder() == "gina"
    assert account("remove", "gina").returncode == 0
    wait_until(lambda: held.holder() is None, END_SECONDS, "gina's API token is refused")
    admin = Person(hub.url, "admin", hub.passwords["admin"])
    gone = lambda: admin.ask("GET", "api/users/gina").status_code == 404  # noqa: E731
    wait_until(gone, END_SECONDS, "the hub has forgotten gina")
    second = Person(hub.url, "gina", password_in(account("add", "gina", "--project", "beta")))
    assert second.answer.status_code == 200
    assert held.holder() is None
    assert first.ask("GET", "api/users/gina").status_code == 403


def test_an_account_of_the_pools_own_people_that_was_removed_stays_so(hub, settings, account):
    done = account("remove", "bob")
    assert "bob stays a member of the pool's projects" in done.stdout
    assert "bob" not in lifecycle.up(settings, SilentReport()).passwords
    assert "bob" not in Store(hub.settings.accounts_folder).read()
