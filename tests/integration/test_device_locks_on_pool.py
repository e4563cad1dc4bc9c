"""What HTCondor does with a job whose device is still in use by a process that got away from the job before."""

import fcntl
from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from driver import Driver, wait_until

A100 = 'DeviceModel == "A100"'


@pytest.fixture
def escaped(driver: Driver) -> Iterator[ExitStack]:
    """The locks of both A100, held by this process as if it were one that escaped."""
    for batch in driver.submit(count=2, request_gpus=1, require_gpus=A100, run_seconds=0.1):
        batch.wait_for("finished")
    with ExitStack() as held:
        for path in (driver.pool.layout.folder / "lock/devices").glob("*A100*"):
            lock = held.enter_context(path.open())
            wait_until(lambda lock=lock: fcntl.flock(lock, fcntl.LOCK_EX) is None, 10, f"{path} free")
        yield held


def test_the_job_goes_back_into_the_queue_and_runs_when_the_device_is_free(driver: Driver, escaped: ExitStack) -> None:
    (job,) = driver.submit(
        request_gpus=1,
        require_gpus=A100,
        run_seconds=0.1,
        log=driver.folder / "mine.log",
        environment='"MLINFN_DEVICE_WAIT_SECONDS=0"',
    )
    log = driver.folder / "mine.log"
    wait_until(lambda: log.exists() and "did not become free; try again" in log.read_text(), 60, "reason in the log")
    assert not job.has("started")
    escaped.close()
    job.wait_for("finished", 90)
