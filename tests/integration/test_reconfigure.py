"""An administrator has the access points read the map of projects again; what it says holds at once."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from driver import Driver

from mlinfn_condor.embedded import secrets
from mlinfn_condor.hub.accounts import project_map

RECONFIGURE = """
from mlinfn_condor.pool.protocol import ACCESS_POINTS
from mlinfn_condor.pool.real import RealPool
for access_point in ACCESS_POINTS:
    RealPool().reconfigure(access_point)
"""
JOB = "executable = /bin/sleep\ntransfer_executable = false\nshould_transfer_files = NO\nhold = true\n"
ROUNDS = 5


@pytest.fixture
def pool(driver: Driver) -> Iterator[Driver]:
    layout, map_file = driver.pool.layout, driver.pool.layout.etc / "projects.map"
    before = map_file.read_text()
    for round_ in range(ROUNDS):
        user = f"guest{round_}"
        secrets.issue(layout, driver.pool.distribution, user, layout.tokens_of(user))
    yield driver
    project_map.write(map_file, before)
    driver.run(sys.executable, "-c", RECONFIGURE, user="admin")


def test_who_was_added_to_the_map_may_submit_as_soon_as_the_reconfiguration_returns(pool):
    map_file = pool.pool.layout.etc / "projects.map"
    (pool.folder / "job.sub").write_text(f'{JOB}+PriorityClass = "batch"\nqueue\n')
    for round_ in range(ROUNDS):
        guest = f"guest{round_}"
        assert submit(pool, guest).returncode != 0
        project_map.write(map_file, f"{map_file.read_text()}* {guest} beta\n")
        pool.run(sys.executable, "-c", RECONFIGURE, user="admin")
        done = submit(pool, guest)
        assert done.returncode == 0, done.stderr


def submit(pool: Driver, user: str) -> subprocess.CompletedProcess[str]:
    return pool.run("condor_submit", "-terse", "-name", "batch@", "job.sub", user=user, check=False)
