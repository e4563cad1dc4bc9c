"""The loop helper: what is saved when, and when it leaves; and the examples that are shipped with it."""

import os
import signal
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from line_by_line import line_by_line

from mlinfn_condor.training.checkpointing import Checkpoint
from mlinfn_condor.training.resuming import resumable
from mlinfn_condor.training.vacating import LEFT_EARLY

ROOT = Path(__file__).parents[2]
EXAMPLES = ROOT / "docs" / "examples"
EPOCHS = {"plain": 150, "scikit": 30, "pytorch": 60}
SYSTEM = "/usr/bin/python3"


def never():
    pytest.fail("packed without a need")


def test_the_first_time_there_is_no_state(tmp_path):
    with resumable(tmp_path / "new") as training:
        assert training.state is None


def test_between_saves_nothing_is_packed(tmp_path):
    with resumable(tmp_path, every_seconds=3600) as training:
        training.keep(never)
    assert Checkpoint(tmp_path).load() is None


def test_when_it_is_time_the_state_is_saved_and_the_loop_goes_on(tmp_path):
    with resumable(tmp_path, every_seconds=0) as training:
        training.keep(lambda: b"one")
        training.keep(lambda: b"two")
    with resumable(tmp_path) as training:
        assert training.state == b"two"


def test_when_the_window_opens_it_saves_and_leaves_with_the_status_that_says_so(tmp_path):
    with resumable(tmp_path, every_seconds=3600) as training:
        training.keep(never)
        signal.raise_signal(signal.SIGTERM)
        with pytest.raises(SystemExit) as left:
            training.keep(lambda: b"state")
    assert left.value.code == LEFT_EARLY
    assert Checkpoint(tmp_path).load() == b"state"


def test_after_its_stint_it_saves_and_leaves_by_itself(tmp_path):
    with pytest.raises(SystemExit) as left, resumable(tmp_path, every_seconds=3600, stint_seconds=0) as training:
        training.keep(lambda: b"state")
    assert left.value.code == LEFT_EARLY
    assert Checkpoint(tmp_path).load() == b"state"


def python_with(package):
    """Who can run an example: we ourselves, or the Python of the operating system, as an image's own Python would."""
    if find_spec(package):
        return sys.executable
    known = subprocess.run([SYSTEM, "-c", f"import {package}"], check=False, capture_output=True)
    return SYSTEM if known.returncode == 0 else None


def run(python, example, folder, *, stop=None):
    """Exit code and output of an example, told to leave after the first line that begins with `stop`."""
    command = [python, EXAMPLES / f"{example}.py", "--folder", folder, "--epochs", str(EPOCHS[example])]
    found = os.environ | {"PYTHONPATH": str(ROOT)}
    lines = []
    with line_by_line(command, found) as (process, told):
        for line in told:
            lines.append(line)
            if stop and line.startswith(stop):
                process.send_signal(signal.SIGTERM)
                stop = None
    return process.returncode, lines


@pytest.mark.parametrize(("example", "package"), [("plain", "json"), ("scikit", "sklearn"), ("pytorch", "torch")])
def test_an_example_that_was_displaced_ends_with_the_same_result(tmp_path, example, package):
    if (python := python_with(package)) is None:
        pytest.skip(f"{package} is not installed: Debian's python3-{package}")
    code, told = run(python, example, tmp_path / "disturbed", stop="epoch 2 of")
    assert code == LEFT_EARLY
    assert not told[-1].startswith("result"), "it had not finished"
    code, rest = run(python, example, tmp_path / "disturbed")
    assert code == 0
    assert not rest[0].startswith("epoch 1 of"), "it goes on where it was"
    assert len(told) + len(rest) == EPOCHS[example] + 1, "no epoch twice"
    code, undisturbed = run(python, example, tmp_path / "undisturbed")
    assert (code, rest[-1]) == (0, undisturbed[-1])
    assert rest[-1].startswith("result")
