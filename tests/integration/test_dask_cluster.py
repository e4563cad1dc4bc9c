"""`mlinfn_condor.dask.Cluster` on the real pool: joins, is disturbed, replaces what is lost, adapts, hides its key.

A computation goes on until the test has seen what it waits for, however slow the machine is.
"""

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

pytest.importorskip("dask_jobqueue")

JOIN_SECONDS = 90
COME_SECONDS = 90
"""A worker's Python starts within seconds, but there may be several at once, and little of the machine left."""
GONE_SECONDS = 60
"""Longer than the window of 30 s in which a worker may leave."""
ANSWER_SECONDS = 120


@pytest.fixture
def stand(driver: Driver) -> Stand:
    environment = os.environ | driver.pool.environment("alice") | {"HOME": str(driver.folder)}
    return Stand(environment, driver.folder)


@pytest.fixture
def enough(driver: Driver) -> Path:
    """Once it is there, the computation ends."""
    return driver.folder / "enough"


def workers(driver: Driver, constraint: str = "true") -> list[dict[str, object]]:
    return driver.jobs(PriorityClass.DASK, f'PriorityClass == "dask" && {constraint}')


def ids(jobs: list[dict[str, object]]) -> set[str]:
    return {f"{job['ClusterId']}.{job['ProcId']}" for job in jobs}


def wait_for_work_of_two(journal: Path) -> None:
    """Two workers compute a block from now on."""
    before = len(lines(journal))
    wait_until(
        lambda: len({line.split()[1] for line in lines(journal)[before:]}) == 2, COME_SECONDS, "two that compute"
    )


def lines(journal: Path) -> list[str]:
    return journal.read_text().splitlines() if journal.exists() else []


def displace_both(driver: Driver, starts: int) -> None:
    """Both leave, who had started so many times, and both start again."""
    victims = ids(workers(driver))
    assert len(victims) == 2
    for victim in victims:
        driver.run("condor_vacate_job", victim)
    again = f"JobStatus == 2 && NumShadowStarts > {starts}"
    wait_until(lambda: ids(workers(driver, again)) == victims, COME_SECONDS, "both start again")


def test_workers_are_one_submit_speak_tls_and_held_and_removed_ones_are_replaced(
    driver: Driver, stand: Stand, enough: Path
) -> None:
    words = ["--blocks", "12", "--pause", "0.5", "--until", str(enough)]
    with stand.notebook(OURS, 3, JOIN_SECONDS, words) as notebook:
        assert "seconds" in notebook.next(JOIN_SECONDS + 30), stand.complaints(OURS)
        jobs = workers(driver)
        assert len({job["ClusterId"] for job in jobs}) == 1
        assert {job["AccountingGroup"] for job in jobs} == {"group_dask.alpha.alice"}
        assert all("tls://" in str(job["Arguments"]) for job in jobs)
        key = next((Path(driver.folder) / ".mlinfn" / "dask").glob("*/dask-key.pem")).read_text().splitlines()[1]
        assert key not in str(jobs)
        held, removed, _ = sorted(ids(jobs))
        driver.run("condor_hold", held)
        driver.run("condor_rm", removed)
        wait_until(lambda: len(ids(workers(driver, "JobStatus <= 2")) - {held, removed}) == 3, 60, "two new workers")
        enough.touch()
        told = notebook.next(ANSWER_SECONDS)
        assert (told["right"], told["killed_worker"]) == (True, 0)
    wait_until(lambda: not workers(driver), GONE_SECONDS, "an empty queue")


@pytest.mark.slow
def test_adapt_goes_on_after_all_its_workers_were_displaced(driver: Driver, stand: Stand, enough: Path) -> None:
    """distributed #4591: a cluster that adapted stayed without workers after preemptions."""
    journal = driver.folder / "adapted"
    words = ["--blocks", "40", "--pause", "0.25", "--journal", str(journal), "--until", str(enough), "--adapt"]
    with stand.notebook(OURS, 2, JOIN_SECONDS, words) as notebook:
        for starts in (1, 2):
            wait_for_work_of_two(journal)
            displace_both(driver, starts)
        wait_for_work_of_two(journal)
        enough.touch()
        told = notebook.next(ANSWER_SECONDS)
        assert (told["right"], told["killed_worker"]) == (True, 0), stand.complaints(OURS)
    wait_until(lambda: not workers(driver), GONE_SECONDS, "an empty queue")


@pytest.mark.slow
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
