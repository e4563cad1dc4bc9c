"""Tokens of somebody who has left, before real daemons: void from one moment to the next, and nobody else's."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import pytest
from driver import Driver

from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.hub.accounts import project_map

LOOKS = {
    "submit": ("condor_submit", "-terse", "-name", "batch@", "job.sub"),
    "read the queue": ("condor_q", "-name", "batch@", "-all"),
    "read the sessions' queue": ("condor_q", "-name", "interactive@", "-all"),
    "read the slots": ("condor_status", "-any"),
}
TELL = """
import json, sys
from pathlib import Path
from mlinfn_condor.hub.accounts.revocation import Revocation
from mlinfn_condor.pool.real import RealPool
Revocation(Path(sys.argv[1]), RealPool).tell(json.loads(sys.argv[2]))
"""
JOB = "executable = /bin/sleep\ntransfer_executable = false\nshould_transfer_files = NO\nhold = true\n"


@pytest.fixture(scope="module")
def pool(bare_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    driver = Driver(bare_pool, tmp_path_factory.mktemp("leavers"))
    (driver.folder / "job.sub").write_text(f'{JOB}+PriorityClass = "batch"\nqueue\n')
    yield driver
    driver.run("condor_rm", "-name", "batch@", "-constraint", "true", user="admin", check=False)
    tell(driver, {})


def tell(pool: Driver, ends: dict[str, int]) -> None:
    """As the hub's accounts service does, with the administrator's token."""
    pool.run(sys.executable, "-c", TELL, str(pool.pool.layout.leavers), json.dumps(ends), user="admin")


def attempts(pool: Driver, user: str) -> dict[str, bool]:
    """What works for somebody, by name."""
    done = {name: pool.run(*command, user=user, check=False) for name, command in LOOKS.items()}
    return {name: said.returncode == 0 for name, said in done.items()}


def test_a_leavers_tokens_open_nothing_and_nobody_elses_are_touched(pool):
    assert attempts(pool, "bob") == dict.fromkeys(LOOKS, True)
    tell(pool, {"bob": int(time.time())})
    assert attempts(pool, "bob") == dict.fromkeys(LOOKS, False)
    assert attempts(pool, "alice") == dict.fromkeys(LOOKS, True)
    assert pool.run("condor_status", "-any", user="admin").returncode == 0


def test_a_token_that_was_issued_after_he_left_is_another_ones(pool):
    tell(pool, {"bob": int(time.time()) - 3600})
    assert attempts(pool, "bob") == dict.fromkeys(LOOKS, True)


@pytest.mark.parametrize("text", ["", "garbage\n", "* bob\n", "* bob never\n", "* * 9999999999\n"])
def test_a_map_that_says_nothing_revokes_nothing(pool, text):
    project_map.write(pool.pool.layout.leavers, text)
    reconfigure = "from mlinfn_condor.pool.real import RealPool; RealPool().reconfigure('batch@')"
    pool.run(sys.executable, "-c", reconfigure, user="admin")
    submitted: subprocess.CompletedProcess[str] = pool.run(*LOOKS["submit"], user="bob", check=False)
    assert submitted.returncode == 0, submitted.stderr
