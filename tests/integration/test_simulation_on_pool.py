"""A workload on a real pool: what it tells agrees with what HTCondor charged, and a killed one is cleared away."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from driver import wait_until

from mlinfn_condor.embedded import lifecycle, processes
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.settings import Settings

WORKLOAD = """\
at,class,who,project,duration,count,model,leave
0,batch,gus,beta,1d,2,,1m
5h,interactive,olga,alpha,2h,1,T4,
10h,batch,olga,alpha,3h,1,A30,
26h,end,,,,,,
"""
CONTRACTS = """\
[pool]
projects = ["alpha", "beta"]
[pool.nodes.node]
gpus = { T4 = 1, A30 = 1 }
[owners.alpha]
devices = ["GPU-node-A30-0"]
"""
SPEED = 3000


@pytest.fixture
def files(tmp_path: Path) -> Path:
    (tmp_path / "some.csv").write_text(WORKLOAD)
    (tmp_path / "some.toml").write_text(CONTRACTS)
    return tmp_path / "some.csv"


def simulate(files: Path, home: Path, speed: int = SPEED) -> subprocess.Popen[str]:
    words = ["policy", "simulate", str(files), "--speed", str(speed), "--json"]
    environment = os.environ | {"MLINFN_HOME": str(home)}
    return subprocess.Popen(
        [sys.executable, "-m", "mlinfn_condor.cli", *words],
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )


def test_an_owner_comes_back_and_a_killed_simulation_is_cleared_away(files, pool_home):
    killed = simulate(files, pool_home, speed=1)
    layout = Layout(Settings(home=pool_home, pool="sim").pool_folder)
    wait_until(lambda: processes.master(layout), 60, "its pool")
    killed.kill()
    killed.communicate()
    told = simulate(files, pool_home)
    out, complaint = told.communicate(timeout=120)
    assert told.returncode == 0, complaint
    assert not layout.folder.exists()
    assert not list(processes.members(layout))
    assert lifecycle.down(Settings(home=pool_home, pool="sim")) is False

    found = json.loads(out)
    interactive, batch = found["classes"]
    assert (interactive["started"], interactive["completed"], interactive["evictions"]) == (1, 1, 0)
    assert (batch["started"], batch["completed"]) == (3, 1)
    # The guest's window is 30 s and it needs a minute to save: session and owner each cost it all that it had.
    assert batch["evictions"] == 2
    assert batch["lost_h"] > 0.5
    assert not found["remarks"]
    assert found["claimed_h"] == pytest.approx(found["kept_h"] + batch["lost_h"], abs=0.1 * found["claimed_h"])
    for one in found["projects"]:
        assert one["device_percent"] == pytest.approx(one["userprio_percent"], abs=15)
