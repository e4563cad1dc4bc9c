"""The bench `glidein`: how soon a node comes when a job needs one, and how soon it is gone when nobody does.

The pool has no node of its own. `mlinfn glidein run` provides real glideins, processes of this machine with simulated
devices, with the settings that a site begins with, but for the time that they wait idle. In a cluster the time until
a machine and its image are there comes on top; that is the cluster's, and not measured here.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from mlinfn_condor.bench import acts, glidein_calls
from mlinfn_condor.bench.client import Client
from mlinfn_condor.bench.figures import Case, Measured, Target, distribution
from mlinfn_condor.bench.journal import Journal, name_of
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import home
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import distribution as installing
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout
from mlinfn_condor.provisioning.backends.local import LocalBackend
from mlinfn_condor.provisioning.nodes import Phase
from mlinfn_condor.settings import Settings

NAME = "glidein"
COLD, LEAVE = "cold", "leave"
CASES = (COLD, LEAVE, glidein_calls.NAME)
REPEATS, QUICK_REPEATS = 20, 3
COLD_TARGET: Target = {"p95_s": ("<=", 15), "failed": ("<=", 0)}
LEAVE_TARGET: Target = {"beyond_idle_s": ("<=", 15)}
IDLE_SECONDS, LOOP_SECONDS = 10, 5
RUN_SECONDS = 0.5
BOUND_SECONDS = 120
LOOK_SECONDS = 0.1
SETTINGS = f"""
[kinds.t4]
device_kind = "gpu"
model = "T4"
devices = 2
cpus = 8
memory_mb = 32768
most = 4

[intervals]
loop_seconds = {LOOP_SECONDS}
idle_seconds = {IDLE_SECONDS}
"""


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    done: list[Case] = []
    if {COLD, LEAVE} & set(cases):
        installing.ensure(Settings(), report)
        with home() as folder, _pool(folder, report) as pool, _provisioner(pool):
            done += _measure(pool, QUICK_REPEATS if quick else REPEATS, report)
    if glidein_calls.NAME in cases:
        done.append(glidein_calls.measure(report, quick=quick))
    return told | {"cases": [case.as_json() for case in done if case.name in cases]}


def _measure(pool: RunningPool, repeats: int, report: Report) -> list[Case]:
    payloads = pool.layout.folder / "payloads"
    payloads.mkdir()
    journal, backend = Journal(payloads / "journal"), LocalBackend(pool.layout.glideins, {})
    known = pool.environment()
    client = Client(known)
    starts, leaves, failures = [], [], []
    try:
        with report.step(f"{COLD}, {LEAVE}: {repeats} nodes, one after another", repeats) as step:
            for place in range(repeats):
                # The provisioner looks every few seconds: the submits are spread over one of its turns.
                time.sleep((place + 0.5) / repeats * LOOP_SECONDS)
                description = acts.payload(
                    PriorityClass.BATCH, payloads, run_seconds=RUN_SECONDS, leave=0.2, model="T4"
                )
                submitted = client.call(acts.submit_payload, description, PriorityClass.BATCH.access_point)
                job = name_of(submitted.result, PriorityClass.BATCH)
                try:
                    starts.append(journal.need(job, "started", BOUND_SECONDS).when - submitted.began)
                    finished = journal.need(job, "finished", BOUND_SECONDS).when
                    leaves.append(_gone(backend) - finished - IDLE_SECONDS)
                except Timeout as error:
                    failures.append(str(error))
                step.advance(1)
    finally:
        client.close()
    cold = distribution(starts) if starts else {"n": 0}
    left = distribution(leaves) if leaves else {"n": 0}
    beyond = {"beyond_idle_s": left["worst_s"]} if leaves else {}
    return [
        Case(COLD, Measured(cold | {"failed": len(failures)}, {"start_s": _rounded(starts)}, failures), COLD_TARGET),
        Case(LEAVE, Measured(left | beyond, {"beyond_s": _rounded(leaves)}), LEAVE_TARGET),
    ]


def _gone(backend: LocalBackend) -> float:
    """When the last glidein had ended, its processes included. Raises Timeout."""
    deadline = time.monotonic() + BOUND_SECONDS
    while any(one.phase in (Phase.ASKED, Phase.RUNNING, Phase.LEAVING) for one in backend.glideins()):
        if time.monotonic() > deadline:
            raise Timeout(f"a glidein was still there {BOUND_SECONDS} s after its last job")
        time.sleep(LOOK_SECONDS)
    return time.time()


def _rounded(seconds: list[float]) -> list[float]:
    return [round(value, 3) for value in seconds]


@contextmanager
def _pool(folder: Path, report: Report) -> Iterator[RunningPool]:
    settings = Settings(home=folder, pool="bench")
    pool = lifecycle.up(settings, report, Blueprint(nodes=(), use_real_devices=False))
    try:
        yield pool
    finally:
        lifecycle.down(settings, graceful_seconds=0)


@contextmanager
def _provisioner(pool: RunningPool) -> Iterator[None]:
    pool.layout.glidein_settings.write_text(SETTINGS)
    command = [str(Path(sys.executable).with_name("mlinfn")), "--pool", pool.settings.pool, "glidein", "run"]
    environment = {n: v for n, v in os.environ.items() if n != "CONDOR_CONFIG"}
    environment["MLINFN_HOME"] = str(pool.settings.home)
    with tempfile.TemporaryFile() as log:
        process = subprocess.Popen(command, env=environment, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        try:
            yield
        finally:
            process.terminate()
            process.wait(BOUND_SECONDS)
