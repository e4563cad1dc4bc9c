"""The bench `sweep`: a table of 10,000 rows as jobs in the queue, by `mlinfn submit sweep` and by `condor_submit`.

Both are programs that start, read the same table and the same template, and end when the access point has taken the
jobs; ours also checks the table. The pool has no node, so that nothing else happens meanwhile.
"""

import csv
import os
import subprocess
import sys
import time
from collections.abc import Collection, Mapping
from pathlib import Path
from statistics import median
from typing import Any

from mlinfn_condor.bench.client import Client
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import home
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import distribution, lifecycle
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout, UserError
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped

NAME = "sweep"
SUBMIT = "submit"
CASES = (SUBMIT,)
JOBS, QUICK_JOBS = 10_000, 1_000
REPEATS, QUICK_REPEATS = 5, 2
MOST_OF_THEIRS = 1.2
EMPTY_SECONDS = 120
LOOK_SECONDS = 0.25
TABLE = "runs.csv"
ACCESS_POINT = PriorityClass.BATCH.access_point


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    jobs, repeats = (QUICK_JOBS, QUICK_REPEATS) if quick else (JOBS, REPEATS)
    distribution.ensure(Settings(), report)
    with home() as folder:
        settings = Settings(home=folder, pool="bench")
        pool = lifecycle.up(settings, report, Blueprint(nodes=(), use_real_devices=False))
        try:
            done = _measure(pool, jobs, repeats, report)
        finally:
            lifecycle.down(settings, graceful_seconds=0)
    return told | {"cases": [done.as_json()]}


def _measure(pool: RunningPool, jobs: int, repeats: int, report: Report) -> Case:
    folder = pool.layout.folder / "sweep"
    folder.mkdir()
    write_table(folder / TABLE, jobs)
    known = os.environ | pool.environment()
    ours, theirs = _ours(folder), _theirs(folder)
    ours_s: list[float] = []
    theirs_s: list[float] = []
    administrator = Client(pool.environment(ADMINISTRATOR) | {"MLINFN_USER_HOME": str(folder)})
    try:
        with report.step(f"{SUBMIT}: {jobs} jobs, {repeats} times by each", 2 * repeats) as step:
            for place in range(repeats):
                # Who comes first changes: the second of a pair finds the schedd as the first has left it.
                for mine in (True, False) if place % 2 == 0 else (False, True):
                    (ours_s if mine else theirs_s).append(_seconds(ours if mine else theirs, folder, known))
                    administrator.call(clear, jobs)
                    step.advance(1)
    finally:
        administrator.close()
    figures, beside = _figures(jobs, ours_s), _figures(jobs, theirs_s)
    target: Target = {"seconds": ("<=", round(MOST_OF_THEIRS * beside["seconds"], 2))}
    ratio = {"ratio": round(figures["seconds"] / beside["seconds"], 2)}
    return Case(
        SUBMIT,
        Measured(figures | ratio, {"seconds": ours_s}),
        target,
        Beside("condor_submit sweep.sub", Measured(beside, {"seconds": theirs_s})),
    )


def write_table(path: Path, jobs: int) -> None:
    """A grid of parameters as people have them."""
    with path.open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(["rate", "depth", "seed"])
        table.writerows(
            [round(0.001 * (1 + number % 100), 3), 2 + number // 100 % 10, number] for number in range(jobs)
        )


def clear(pool: Pool, jobs: int) -> None:
    """Take all jobs out of the queue. Raises UserError unless there were as many as there should be, and Timeout."""
    found = pool.jobs(access_points=[ACCESS_POINT])
    if len(found) != jobs:
        raise UserError(f"{len(found)} jobs are in the queue, not {jobs}: the measurement is void")
    for cluster in {job.id.cluster for job in found}:
        pool.remove_submit(JobId(ACCESS_POINT, cluster), "the measurement is over")
    deadline = time.monotonic() + EMPTY_SECONDS
    while pool.jobs("true", (), [ACCESS_POINT]):
        if time.monotonic() > deadline:
            raise Timeout(f"the queue was not empty {EMPTY_SECONDS} s after all jobs were removed")
        time.sleep(LOOK_SECONDS)


def _ours(folder: Path) -> list[str]:
    command = [str(Path(sys.executable).with_name("mlinfn")), "submit", "sweep", TABLE, "--folder", str(folder), "--"]
    return [*command, *_training("{rate}", "{depth}", "{seed}", "{row}")]


def _theirs(folder: Path) -> list[str]:
    template = shipped("submit_templates") / "sweep.sub"
    # What `mlinfn submit` asks for by default.
    given = [f"table={TABLE}", f"folder={folder}", "memory=2048MB"]
    words = " ".join(_training("$(rate)", "$(depth)", "$(seed)", "$(Row)"))
    return ["condor_submit", "-name", ACCESS_POINT, str(template), *given, f"command={words}"]


def _training(rate: str, depth: str, seed: str, row: str) -> list[str]:
    return ["python", "train.py", "--rate", rate, "--depth", depth, "--seed", seed, "--folder", f"run-{row}"]


def _seconds(command: list[str], folder: Path, environment: Mapping[str, str]) -> float:
    """From its start to its end. Raises UserError with what it said when it failed."""
    began = time.monotonic()
    done = subprocess.run(command, cwd=folder, env=dict(environment), capture_output=True, text=True, check=False)
    seconds = time.monotonic() - began
    if done.returncode != 0:
        raise UserError(f"{Path(command[0]).name} failed: {done.stderr.strip() or done.stdout.strip()}")
    return round(seconds, 3)


def _figures(jobs: int, seconds: list[float]) -> dict[str, float]:
    return {
        "jobs": jobs,
        "seconds": round(median(seconds), 2),
        "worst_s": round(max(seconds), 2),
        "jobs_per_s": round(jobs / median(seconds)),
        "n": len(seconds),
    }
