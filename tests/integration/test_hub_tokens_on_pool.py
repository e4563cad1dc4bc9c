"""Tokens that we sign, before a real schedd: who the holder is, what he may do, when it ends."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.hub.tokens import Issuer, Token, write

BATCH = "batch@"
JOB = """executable = /bin/sleep
arguments = 0
transfer_executable = false
should_transfer_files = NO
hold = true
+PriorityClass = "batch"
queue
"""


class Holder:
    """Somebody who has nothing but one of our tokens."""

    def __init__(self, pool: RunningPool, folder: Path) -> None:
        self.pool, self.folder = pool, folder

    def take(self, token: Token) -> None:
        write(self.folder, token)

    def run(self, *command: str) -> subprocess.CompletedProcess[str]:
        tokens = {"_CONDOR_SEC_TOKEN_DIRECTORY": str(self.folder / "condor" / "tokens.d")}
        environment = os.environ | self.pool.environment() | tokens
        return subprocess.run(command, env=environment, cwd=self.folder, capture_output=True, text=True)

    def ping(self, *levels: str) -> str:
        done = self.run("condor_ping", "-type", "schedd", "-name", BATCH, "-table", *levels)
        return done.stdout + done.stderr

    def submit(self) -> subprocess.CompletedProcess[str]:
        (self.folder / "job.sub").write_text(JOB)
        return self.run("condor_submit", "-terse", "-name", BATCH, "job.sub")


@pytest.fixture
def holder(running_pool: RunningPool, tmp_path: Path) -> Holder:
    return Holder(running_pool, tmp_path)


@pytest.fixture(params=["POOL", "sessions"])
def issuer(request: pytest.FixtureRequest, running_pool: RunningPool) -> Issuer:
    return Issuer(running_pool.layout.signing_key.with_name(request.param), running_pool.layout.folder.name)


@pytest.fixture
def sessions(running_pool: RunningPool) -> Issuer:
    return Issuer(running_pool.layout.session_signing_key, running_pool.layout.folder.name)


def ending(seconds: int) -> dict[str, int]:
    now = int(time.time())
    return {"expires": now + seconds, "now": now}


def test_the_schedd_takes_the_holder_for_the_user(holder, issuer, driver: Driver):
    holder.take(issuer.token("bob", **ending(600)))
    table = holder.ping("READ", "WRITE")
    assert table.count("bob@test") == 2, table
    done = holder.submit()
    assert done.returncode == 0, done.stderr
    (ad,) = driver.query("condor_q", "-name", BATCH, "-all", "-constraint", f"ClusterId == {done.stdout.split('.')[0]}")
    assert (ad["Owner"], ad["Project"]) == ("bob", "beta")


def test_the_holder_may_not_command(holder, sessions):
    holder.take(sessions.token("bob", **ending(600)))
    assert "bob@test" not in holder.ping("ADMINISTRATOR")


def test_a_token_that_may_read_cannot_submit(holder, sessions):
    holder.take(sessions.token("bob", **ending(600), scopes=["READ"]))
    assert holder.run("condor_q", "-name", BATCH).returncode == 0
    done = holder.submit()
    assert done.returncode != 0, done.stdout


def test_an_expired_token_is_refused(holder, sessions):
    holder.take(sessions.token("bob", **ending(-5)))
    assert holder.submit().returncode != 0


def test_a_token_ends_while_its_holder_goes_on(holder, sessions):
    holder.take(sessions.token("bob", **ending(4)))
    assert holder.submit().returncode == 0
    wait_until(lambda: holder.submit().returncode != 0, 30, "the end of the token")


def test_a_token_of_a_key_that_the_pool_does_not_have_is_refused(holder, sessions, tmp_path):
    (forged := tmp_path / "sessions").write_bytes(os.urandom(64))
    holder.take(Issuer(forged, sessions.trust_domain).token("bob", **ending(600)))
    assert holder.submit().returncode != 0


@pytest.fixture
def removable(sessions: Issuer, tmp_path: Path) -> Iterator[Path]:
    """The sessions' key, which is back afterwards."""
    shutil.copy2(sessions.key_file, kept := tmp_path / "kept")
    yield sessions.key_file
    shutil.copy2(kept, sessions.key_file)


def test_without_the_key_of_the_sessions_all_their_tokens_end_and_no_others(holder, sessions, removable):
    pool = Issuer(removable.with_name("POOL"), sessions.trust_domain)
    holder.take(sessions.token("bob", **ending(600)))
    assert holder.submit().returncode == 0
    removable.unlink()
    assert holder.submit().returncode != 0  # at once: the schedd reads the key at each new connection
    holder.take(pool.token("bob", **ending(600)))
    assert holder.submit().returncode == 0
