"""A person's notebook on the real pool: plain HTCondorCluster(), a worker displaced midway, and a right result."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from driver import Driver, wait_until

from mlinfn_condor.classes import PriorityClass

pytest.importorskip("dask_jobqueue")

NOTEBOOK = """
import json, sys
from dask_jobqueue import HTCondorCluster
from distributed import Client
from mlinfn_condor.dask.computation import compute

if __name__ == "__main__":
    with HTCondorCluster() as cluster, Client(cluster) as client:
        cluster.scale(2)
        client.wait_for_workers(2, timeout=90)
        print("both workers are there", flush=True)
        result = compute(client, blocks=40, pause_seconds=0.25)
        client.wait_for_workers(2, timeout=60)
        again = compute(client, blocks=16, pause_seconds=0.25)
        print(json.dumps([result.right, result.blocks, again.right, again.blocks_by_worker]), flush=True)
"""
START_SECONDS = 120
COMPUTE_SECONDS = 120


@pytest.fixture
def notebook(driver: Driver) -> Iterator[subprocess.Popen[str]]:
    """Alice's notebook, at the moment when its two workers have come."""
    script = driver.folder / "notebook_cell.py"
    script.write_text(NOTEBOOK)
    complaints = driver.folder / "notebook.err"
    environment = os.environ | driver.pool.environment("alice") | {"HOME": str(driver.folder)}
    with (
        complaints.open("w") as err,
        subprocess.Popen(
            [sys.executable, script], env=environment, cwd=driver.folder, stdout=subprocess.PIPE, stderr=err, text=True
        ) as process,
    ):
        try:
            assert process.stdout is not None
            assert "both workers" in process.stdout.readline(), complaints.read_text()
            yield process
        finally:
            process.kill()


def workers(driver: Driver, constraint: str = "true") -> list[dict[str, object]]:
    return driver.jobs(PriorityClass.DASK, f'PriorityClass == "dask" && {constraint}')


def answer(notebook: subprocess.Popen[str]) -> tuple[bool, int, bool, dict[str, int]]:
    said, _ = notebook.communicate(timeout=COMPUTE_SECONDS)
    right, blocks, again, by_worker = json.loads(said)
    return right, blocks, again, by_worker


def test_workers_are_charged_to_the_class_dask_and_their_user(driver: Driver, notebook: subprocess.Popen[str]) -> None:
    groups = {job["AccountingGroup"] for job in workers(driver)}
    assert groups == {"group_dask.alpha.alice"}


def test_a_displaced_worker_comes_back_and_the_result_is_right(driver: Driver, notebook: subprocess.Popen[str]) -> None:
    victim = workers(driver)[0]["ClusterId"]
    driver.run("condor_vacate_job", str(victim))
    # Not NumJobStarts: the access point hears of it only with the next update of the job.
    wait_until(lambda: workers(driver, f"ClusterId == {victim} && NumShadowStarts == 2"), 60, "the worker again")
    right, blocks, right_again, by_worker = answer(notebook)
    assert right
    assert blocks == 40
    assert right_again
    # Of the second computation: the worker that stayed may have done all of the first before the other was back.
    assert sum(by_worker.values()) == 16
    assert len(by_worker) == 2


def test_a_closed_cluster_leaves_no_job_behind(driver: Driver, notebook: subprocess.Popen[str]) -> None:
    answer(notebook)
    assert notebook.returncode == 0
    wait_until(lambda: not workers(driver), 30, "an empty queue")
