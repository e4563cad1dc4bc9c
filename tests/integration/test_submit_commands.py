"""Sweeps, watching and carried checkpoints as a person at a terminal has them, on the real pool."""

import re
import shutil
import signal
import subprocess
import sys
from os import environ
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.shipped import shipped

MLINFN = str(Path(sys.executable).with_name("mlinfn"))
PLAIN = Path(__file__).parents[2] / "docs" / "examples" / "plain.py"
SECONDS = 90


def test_a_watched_sweep_runs_each_row_and_ends_with_the_exit_code_of_the_one_that_failed(driver: Driver) -> None:
    (driver.folder / "runs.csv").write_text('code,words\n0,"it\'s, so"\n3,$x\n0,three\n')
    say = ["--", "sh", "-c", "echo '{row}:' \"$1\"; exit {code}", "sh", "{words}"]
    done = driver.run(MLINFN, "submit", "sweep", "runs.csv", "--disk-mb", "10", "--watch", *say, check=False)
    assert done.returncode == 3, done.stderr
    assert done.stderr.splitlines()[-1].endswith("3 of 3 done (1 failed), exit code 3")
    cluster = re.match(r"batch@(\d+)\.0 to \.2 ", done.stdout)
    assert cluster, done.stdout
    said = [(driver.folder / f"sweep.{cluster[1]}.{proc}.out").read_text() for proc in range(3)]
    assert said == ["1: it's, so\n", "2: $x\n", "3: three\n"]


def test_ctrl_c_lets_the_job_go_on_and_a_hold_ends_the_watch_at_once(driver: Driver) -> None:
    known = environ | driver.pool.environment("alice")
    submit = [MLINFN, "submit", "training", "--watch", "--", "sleep", "600"]
    first = subprocess.Popen(submit, cwd=driver.folder, env=known, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    wait_until(lambda: driver.jobs(PriorityClass.BATCH, "JobStatus == 2"), SECONDS, "it runs")
    first.send_signal(signal.SIGINT)
    out, told = first.communicate(timeout=SECONDS)
    assert first.returncode == 130
    job = out.decode().partition(".")[0]
    assert told.decode().splitlines()[-1].endswith(f"`mlinfn watch {job}` watches on")
    assert driver.jobs(PriorityClass.BATCH, "JobStatus == 2"), "it goes on"

    again = [MLINFN, "watch", job]
    second = subprocess.Popen(again, cwd=driver.folder, env=known, stderr=subprocess.PIPE, text=True)
    assert second.stderr
    assert second.stderr.readline() == "running\n"
    driver.run("condor_hold", "-name", "batch@", "-reason", "to look at it", job.partition("@")[2])
    assert second.wait(SECONDS) == 1
    assert "is on hold: to look at it (by user alice). `condor_release -name batch@" in second.stderr.read()


@pytest.mark.slow
def test_a_training_without_a_shared_home_goes_on_from_checkpoints_that_htcondor_carries(driver: Driver) -> None:
    shutil.copy(PLAIN, driver.folder)
    command = "command=python plain.py --folder checkpoints --epochs 1500 --stint 0.2"
    template = str(shipped("submit_templates") / "training.sub")
    said = driver.run("condor_submit", template, "carried=checkpoints", "inputs=plain.py", command).stdout
    (cluster,) = re.findall(r"cluster (\d+)", said)
    output = driver.folder / f"training.{cluster}.0.out"
    wait_until(lambda: not driver.jobs(PriorityClass.BATCH), SECONDS, "it has finished")
    lines = output.read_text().splitlines()
    assert lines[-1].startswith("result: y = 2.9")
    assert len(lines) == 1501, "no epoch twice: each run went on from the checkpoint of the one before"
    log = (driver.folder / f"training.{cluster}.log").read_text()
    assert log.count("Finished transferring output files") > 1, "it did leave on the way"
    assert not (driver.folder / "checkpoints").exists(), "it never was in the home"
