"""Waits with a deadline, for what only looking again can tell."""

import time
from collections.abc import Callable
from typing import TypeVar

from mlinfn_condor.errors import JobHeld, Timeout
from mlinfn_condor.pool import JobState, Pool, ads

LOOK_SECONDS = 0.2

T = TypeVar("T")


def wait_until(ask: Callable[[], T], seconds: float, what: str) -> T:
    """The first answer that is true. `ask` may raise to end the wait at once; Timeout after `seconds`."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise Timeout(f"after {seconds:g} s still not so: {what}")
        time.sleep(LOOK_SECONDS)
    return answer


def none_held(pool: Pool, constraint: str) -> None:
    """Raise JobHeld, with the reason, if a job of the story went on hold: it would wait there for ever."""
    for job in pool.jobs(f"({constraint}) && JobStatus == 5"):
        if job.state is JobState.HELD:
            raise JobHeld(f"{job.id} is on hold: {ads.text(job.ad, 'HoldReason') or 'no reason given'}")
