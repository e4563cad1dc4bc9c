"""The doer: brings a pool up, submits when it is time, reads what happened, and takes the pool down again.

It may be killed at any time: the pool has one name and a lock that the kernel gives back, and the next simulation first
ends and removes what is left of the one before.
"""

import fcntl
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace

from mlinfn_condor.contracts.render import render
from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import UserError
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped
from mlinfn_condor.simulation import scaling, site, trace
from mlinfn_condor.simulation.reckoning import Outcome, reckon
from mlinfn_condor.simulation.scaling import Clock, Numbers
from mlinfn_condor.simulation.stage import Stage
from mlinfn_condor.simulation.workload import Workload

POOL = "sim"


@dataclass(frozen=True)
class Simulation:
    """What was played, and what came of it."""

    workload: Workload
    contracts: Contracts
    speed: float
    outcome: Outcome
    wall_s: float
    late_s: float
    """The most that a submit came too late, wall seconds."""
    limits: tuple[str, ...]
    remarks: tuple[str, ...]
    """What went wrong."""


def play(workload: Workload, contracts: Contracts, speed: float | None, report: Report) -> Simulation:
    """Play it. Raises UserError while another simulation runs, EmbeddedPoolError and PoolUnavailable."""
    speed = speed or scaling.default_speed(workload)
    numbers = Numbers.of((shipped("condor_config.d") / "00-state-the-numbers.conf").read_text(), contracts)
    begin = time.time()
    keeps_hours = bool(contracts.headroom or contracts.windows)
    clock = Clock(speed, begin + scaling.BEGIN_SECONDS)
    configuration = render(contracts) + scaling.overrides(numbers, clock) + trace.CONFIGURATION
    blueprint = Blueprint(site.nodes(contracts), workload.people, use_real_devices=False, overrides=configuration)
    with _pool(blueprint, report) as pool:
        # Only hours have to know beforehand when the simulated week begins.
        clock = clock if keeps_hours else replace(clock, began=time.time())
        time.sleep(max(0.0, clock.began - time.time()))
        stage = Stage(pool, workload, contracts, clock, numbers)
        with report.step(
            f"{workload.name}: {workload.jobs} jobs at {speed:g} times the real time", workload.jobs
        ) as step:
            horizon = stage.run(step.advance)
        charged = stage.charged()
        played = stage.played(horizon)
    outcome = reckon(
        played, sum(map(contracts.pool.count, contracts.pool.models)), site.pledges(contracts), charged, horizon
    )
    return Simulation(
        workload,
        contracts,
        speed,
        outcome,
        time.time() - begin,
        stage.late,
        tuple(scaling.limits(workload, numbers, speed, contracts)),
        tuple(stage.remarks(played)),
    )


@contextmanager
def _pool(blueprint: Blueprint, report: Report) -> Iterator[RunningPool]:
    settings = Settings(pool=POOL)
    settings.pool_folder.parent.mkdir(parents=True, exist_ok=True)
    with (settings.home / f"{POOL}.lock").open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise UserError("another simulation of yours is running: wait until it is over") from error
        _clear(settings)
        try:
            yield lifecycle.up(settings, report, blueprint)
        finally:
            _clear(settings)


def _clear(settings: Settings) -> None:
    lifecycle.down(settings, graceful_seconds=0)
    shutil.rmtree(settings.pool_folder, ignore_errors=True)
