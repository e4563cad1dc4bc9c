"""The job event log: what happened to a job, in order, without asking the access point again and again."""

import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import PoolUnavailable
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

DISPLACED = frozenset({"JOB_EVICTED", "SHADOW_EXCEPTION", "JOB_RECONNECT_FAILED"})

SLICE_SECONDS = 1
"""The bindings wait in whole seconds and cannot be interrupted meanwhile; an event ends the wait at once."""

BEGUN_SECONDS = 10
"""The access point begins a log just after it has taken the jobs."""
KILLED = 128
"""Exit code of a job that a signal ended: this plus the signal's number, as a shell has it."""


@dataclass(frozen=True)
class Happening:
    """One event after which a job is in `state`."""

    job: JobId
    state: JobState
    reason: str = ""
    """Why it is on hold, or was removed."""
    exit_code: int | None = None
    """Of a completed job."""
    displaced: bool = False
    """Whether it has left a slot unfinished."""


def happenings(logs: Mapping[Path, Iterable[JobId]]) -> Iterator[list[Happening]]:
    """What happens to the submits in these logs: first all that stands there already, then each batch at once.

    A batch may be empty: about every second one comes, so that who watches can do something else. It never ends.
    Raises PoolUnavailable when a log is not there, or not on a file system that this machine sees.
    """
    clusters = {path: {job.cluster: job for job in submits} for path, submits in logs.items()}
    with ExitStack() as opened:
        for path in logs:
            _wait_for(path)
        followed = [(opened.enter_context(htcondor2().JobEventLog(str(path))), clusters[path]) for path in logs]
        patience = 0
        while True:
            batch: list[Happening] = []
            for place, (events, submits) in enumerate(followed):
                # Only one log can be waited for; the others are looked at when that wait is over.
                batch += _happened(events.events(stop_after=patience if place == 0 else 0), submits)
            yield batch
            patience = SLICE_SECONDS


def _wait_for(path: Path) -> None:
    deadline = time.monotonic() + BEGUN_SECONDS
    while not path.is_file():
        if time.monotonic() > deadline:
            raise PoolUnavailable(f"there is no event log {path}: the job goes on, but it cannot be watched from here")
        time.sleep(SLICE_SECONDS / 10)


def _happened(events: Iterable[Any], submits: Mapping[int, JobId]) -> Iterator[Happening]:
    for event in events:
        first, state = submits.get(event.cluster), EVENT_STATE.get(event.type.name)
        if first is not None and state is not None:
            job = JobId(first.access_point, event.cluster, event.proc)
            reason = str(event.get("HoldReason") or event.get("Reason") or "")
            displaced = event.type.name in DISPLACED
            yield Happening(job, state, reason, _exit_code(event) if state is JobState.COMPLETED else None, displaced)


def _exit_code(event: Any) -> int:
    if event.get("TerminatedNormally"):
        return int(event["ReturnValue"])
    return KILLED + int(event.get("TerminatedBySignal") or 0)


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
