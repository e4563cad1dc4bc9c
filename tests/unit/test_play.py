"""The job of a simulated workload: saves when it is asked to leave and has the time, and goes on from there."""

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from mlinfn_condor.simulation.jobs import MICRO, PLAY

DEADLINE_SECONDS = 60


@pytest.fixture
def ad(tmp_path: Path) -> Path:
    (tmp_path / "ad").write_text('PriorityClass = "batch"\n')
    return tmp_path / "ad"


def begin(ad: Path, work: float, checkpoint: float = 0, leave: float = 0, window: float = 1) -> subprocess.Popen[bytes]:
    numbers = [str(round(seconds * MICRO)) if seconds >= 0 else "-1" for seconds in (work, checkpoint, leave, window)]
    environment = os.environ | {"_CONDOR_JOB_AD": str(ad), "_CONDOR_SCRATCH_DIR": str(ad.parent)}
    return subprocess.Popen([PLAY, ad.parent / "kept", *numbers], env=environment)


def kept(ad: Path) -> list[float]:
    file = ad.parent / "kept"
    return [int(line.split()[1]) / MICRO for line in file.read_text().splitlines()] if file.exists() else []


def wait_for_checkpoints(ad: Path, count: int) -> None:
    deadline = time.monotonic() + DEADLINE_SECONDS
    while len(kept(ad)) < count:
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_saves_when_it_is_asked_to_leave_and_does_only_what_is_left(ad):
    job = begin(ad, work=600, checkpoint=0.2)
    wait_for_checkpoints(ad, 2)
    job.send_signal(signal.SIGTERM)
    assert job.wait(DEADLINE_SECONDS) == 0
    *checkpoints, saved = kept(ad)
    assert checkpoints[:2] == pytest.approx([0.2, 0.4])
    assert saved > checkpoints[-1]
    assert begin(ad, work=saved + 0.1).wait(DEADLINE_SECONDS) == 0
    assert kept(ad)[-1] == pytest.approx(saved + 0.1, abs=1e-5)
    assert begin(ad, work=saved + 0.1).wait(DEADLINE_SECONDS) == 0
    assert len(kept(ad)) == len(checkpoints) + 2  # finished: nothing is left to do


@pytest.mark.parametrize("leave", [5, -1])
def test_it_is_killed_at_its_windows_end_and_keeps_its_last_checkpoint(ad, leave):
    job = begin(ad, work=600, checkpoint=0.2, leave=leave, window=0.1)
    wait_for_checkpoints(ad, 1)
    job.send_signal(signal.SIGTERM)
    assert job.wait(DEADLINE_SECONDS) == -signal.SIGKILL
    assert kept(ad)[-1] == pytest.approx(0.2 * len(kept(ad)))


def test_a_session_works_once_its_devices_are_free(ad):
    ad.write_text('PriorityClass = "interactive"\n')
    job = begin(ad, work=0.1)
    with pytest.raises(subprocess.TimeoutExpired):
        job.wait(0.4)
    assert not kept(ad)
    (ad.parent / ".mlinfn-devices-ready").touch()
    assert job.wait(DEADLINE_SECONDS) == 0
    assert kept(ad) == [0.1]
