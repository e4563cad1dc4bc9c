"""Killed at random again and again, a training ends as if undisturbed, and each time loses one interval at most."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from killing import BATCHES_PER_EPOCH

KILLING = Path(__file__).with_name("killing.py")
SECONDS = 600


@pytest.mark.parametrize("kills", [30, pytest.param(1000, marks=pytest.mark.slow)])
def test_killed_at_random_a_training_ends_as_if_undisturbed(tmp_path, kills):
    done = subprocess.run(
        [sys.executable, KILLING, tmp_path, str(kills), "7"], capture_output=True, text=True, timeout=SECONDS
    )
    assert done.returncode == 0, done.stderr[-2000:]
    told = json.loads(done.stdout.splitlines()[-1])
    assert told["killed"] == kills, "it was not over before"
    assert told["same"]
    assert told["worst_lost_batches"] <= BATCHES_PER_EPOCH, "a checkpoint is saved after each epoch"
    assert 0 < told["lost_batches"] <= kills * BATCHES_PER_EPOCH
