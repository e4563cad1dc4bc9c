"""Case `trigger`: from an instrument's request to a job in the queue, on a real pool with a scheduler as it ships."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import urllib3

from mlinfn_condor.bench.census import SQL
from mlinfn_condor.bench.database import database
from mlinfn_condor.bench.figures import Case, Measured, Target, distribution
from mlinfn_condor.bench.ingestion_rows import readings
from mlinfn_condor.bench.instruments import declared, provider, serving, site_file
from mlinfn_condor.bench.stand import home
from mlinfn_condor.embedded import distribution as htcondor
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout, UserError
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import Connection, connect
from mlinfn_condor.store.local import REST

NAME = "trigger"
TARGET: Target = {"worst_s": ("<=", 2)}
TIMES, QUICK_TIMES = 20, 3
ROWS_IN_A_BULK = 100
END_SECONDS = 120
LOOK_SECONDS = 0.005
END_LOOK_SECONDS = 0.2


def measure(report: Report, *, quick: bool) -> Case:
    """On a pool of the bench's own. Raises Timeout, UserError."""
    htcondor.ensure(Settings(), report)
    with home() as folder:
        settings = Settings(home=folder, pool="bench")
        pool = lifecycle.up(settings, report)
        try:
            known = os.environ | pool.environment() | {"MLINFN_HOME": str(folder), "MLINFN_POOL": "bench"}
            with provider() as tokens, database(folder, report) as server:
                file = site_file(folder, tokens.issuer)
                declared(server.dsn, file)
                known |= {"MLINFN_DATABASE": server.dsn}
                _mlinfn(known, folder, "schedule", "add", "--rows", "api.reading", "learn", "true")
                with serving(file, server.dsn_as(REST)) as front, connect(server.dsn, autocommit=True) as looking:
                    times = QUICK_TIMES if quick else TIMES
                    seconds = _measure(
                        known, folder, front.address, tokens.token("radon-stations"), looking, times, report
                    )
        finally:
            lifecycle.down(settings, graceful_seconds=0)
    return Case(NAME, Measured(distribution(seconds), {"seconds": seconds}), TARGET)


def _measure(
    known: Mapping[str, str], folder: Path, address: str, token: str, looking: Connection, times: int, report: Report
) -> list[float]:
    seconds = []
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    command = [sys.executable, "-m", "mlinfn_condor.cli", "schedule", "serve"]
    with (
        (folder / "serve.log").open("wb") as log,
        subprocess.Popen(command, env=dict(known), stdin=subprocess.DEVNULL, stdout=log, stderr=log) as scheduler,
        urllib3.PoolManager(retries=False) as http,
        report.step(f"{NAME}: {times} bulks of {ROWS_IN_A_BULK} rows", times) as step,
    ):
        try:
            _wait(lambda: _leads(looking), END_LOOK_SECONDS, "the scheduler acts")
            for number in range(times):
                body = json.dumps(readings(number, ROWS_IN_A_BULK)).encode()
                began = time.perf_counter()
                status = http.request("POST", f"{address}/reading", body=body, headers=headers).status
                if status != 201:
                    raise UserError(f"the front end answered {status}")
                _wait(lambda: _count(looking) > number, LOOK_SECONDS, "the job is submitted")  # noqa: B023
                seconds.append(round(time.perf_counter() - began, 3))
                _wait(lambda: _count(looking, "done") > number, END_LOOK_SECONDS, "the job has run")  # noqa: B023
                step.advance(1)
        finally:
            scheduler.send_signal(signal.SIGTERM)
    return seconds


def _count(connection: Connection, *states: str) -> int:
    runs: dict[str, int] = dict(connection.execute(SQL.text("count_runs")).fetchall())
    return sum(runs.get(state, 0) for state in states or ("submitted", "done", "failed"))


def _leads(connection: Connection) -> bool:
    return bool((connection.execute(SQL.text("count_schedulers")).fetchone() or (0,))[0])


def _wait(until: Callable[[], bool], pause: float, what: str) -> None:
    deadline = time.monotonic() + END_SECONDS
    while not until():
        if time.monotonic() > deadline:
            raise Timeout(f"after {END_SECONDS} s still not: {what}")
        time.sleep(pause)


def _mlinfn(known: Mapping[str, str], folder: Path, *words: str) -> None:
    command = [sys.executable, "-m", "mlinfn_condor.cli", *words]
    done = subprocess.run(command, env=dict(known), cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise UserError(done.stderr.strip())
