"""The job event log: what happened to a job, in order, without asking the access point again and again."""

import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from mlinfn_condor.pool.bindings import htcondor2
from mlinfn_condor.pool.jobs import JobId, JobState

EVENT_STATE = {
    "SUBMIT": JobState.IDLE,
    "EXECUTE": JobState.RUNNING,
    "JOB_EVICTED": JobState.IDLE,
    "JOB_TERMINATED": JobState.COMPLETED,
    "SHADOW_EXCEPTION": JobState.IDLE,
    "JOB_ABORTED": JobState.REMOVED,
    "JOB_SUSPENDED": JobState.SUSPENDED,
    "JOB_UNSUSPENDED": JobState.RUNNING,
    "JOB_HELD": JobState.HELD,
    "JOB_RELEASED": JobState.IDLE,
    "JOB_RECONNECT_FAILED": JobState.IDLE,
}
"""Events after which a job is in another state; the others leave it where it is."""

SLICE_SECONDS = 1
"""The bindings wait in whole seconds and cannot be interrupted meanwhile; an event ends the wait at once."""


def changes(log: Path, job: JobId, deadline: float) -> Iterator[tuple[JobState, ...]]:
    """The job's states: first all that already stand in the log, then each new one at once.

    Ends at `deadline` (monotonic seconds). The access point writes the log: it must lie on a file system of both.
    """
    with htcondor2().JobEventLog(str(log)) as events:
        yield tuple(_matching(events.events(stop_after=0), job))
        while time.monotonic() < deadline:
            yield from ((state,) for state in _matching(events.events(stop_after=SLICE_SECONDS), job))


def _matching(events: Iterable[Any], job: JobId) -> Iterator[JobState]:
    for event in events:
        if (event.cluster, event.proc) == (job.cluster, job.proc) and (state := EVENT_STATE.get(event.type.name)):
            yield state
