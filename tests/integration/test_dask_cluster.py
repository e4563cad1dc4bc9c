"""`mlinfn_condor.dask.Cluster` on the real pool: joins, is disturbed, replaces what is lost, hides its key."""

import os
from pathlib import Path

import pytest
from driver import Driver, wait_until

from mlinfn_condor.bench import dask_disturbed
from mlinfn_condor.bench.dask_notebook import OURS
from mlinfn_condor.bench.dask_stand import Stand
from mlinfn_condor.bench.dask_stand import stand as bench_stand
from mlinfn_condor.bench.figures import holds
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.report import SilentReport

pytestmark = pytest.mark.slow  # twenty Pythons at once

pytest.importorskip("dask_jobqueue")

JOIN_SECONDS = 90


@pytest.fixture
def stand(driver: Driver) -> Stand:
    environment = os.environ | driver.pool.environment("alice") | {"HOME": str(driver.folder)}
    return Stand(environment, driver.folder)


def workers(driver: Driver, constraint: str = "true") -> list[dict[str, object]]:
    return driver.jobs(PriorityClass.DASK, f'PriorityClass == "dask" && {constraint}')


def test_workers_are_one_submit_speak_tls_and_held_and_removed_ones_are_replaced(driver: Driver, stand: Stand) -> None:
    words = ["--blocks", "60", "--pause", "0.5"]
    with stand.notebook(OURS, 3, JOIN_SECONDS, words) as notebook:
        assert "seconds" in notebook.next(JOIN_SECONDS + 30), stand.complaints(OURS)
        jobs = workers(driver)
        assert len({job["ClusterId"] for job in jobs}) == 1
        assert {job["AccountingGroup"] for job in jobs} == {"group_dask.alpha.alice"}
        assert all("tls://" in str(job["Arguments"]) for job in jobs)
        key = next((Path(driver.folder) / ".mlinfn" / "dask").glob("*/dask-key.pem")).read_text().splitlines()[1]
        assert key not in str(jobs)
        held, removed, _ = (f"{job['ClusterId']}.{job['ProcId']}" for job in jobs)
        driver.run("condor_hold", held)
        driver.run("condor_rm", removed)
        wait_until(lambda: len(workers(driver, "JobStatus <= 2")) == 3, 60, "two new workers")
        told = notebook.next(120)
        assert (told["right"], told["killed_worker"]) == (True, 0)
    wait_until(lambda: not workers(driver), 30, "an empty queue")


def test_a_computation_outlives_evictions(driver: Driver, stand: Stand) -> None:
    measured = dask_disturbed.measure(stand, OURS, workers=5, seconds=16, every_seconds=5)
    assert not measured.failures, stand.complaints(OURS)
    assert measured.figures["evicted"] >= 2
    assert measured.figures["wrong"] == measured.figures["killed_worker"] == 0
    assert measured.figures["repeated_beyond_running"] == 0, measured.figures


@pytest.mark.slow
def test_twenty_workers_of_whom_one_is_evicted_every_5_s_compute_right(installed: Distribution) -> None:
    with bench_stand(SilentReport(), 24) as stand:
        measured = dask_disturbed.measure(stand, OURS, workers=20, seconds=60)
        assert not measured.failures, stand.complaints(OURS)
    assert measured.figures["evicted"] >= 8
    assert holds(measured.figures, dask_disturbed.TARGET), measured.figures
