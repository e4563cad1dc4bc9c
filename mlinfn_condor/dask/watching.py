"""Which workers are lost, and which of them are replaced: pure.

A displaced worker is not lost: HTCondor has its job in the queue, and starts it again. Invariants:
- who was looked for before he was in the queue is never called lost;
- after MOST_IN_A_ROW looks with losses, without a single worker joining, nothing is replaced, so that a worker that
  cannot work does not go through the pool for ever. Looks, not workers: somebody may remove a hundred at once.
"""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mlinfn_condor.pool import Job, JobId, JobState

MOST_IN_A_ROW = 10


@dataclass(frozen=True)
class Lost:
    """A worker that will not come by itself, and why."""

    worker: str
    reason: str


def lost(
    workers: Mapping[str, JobId], jobs: Iterable[Job], joined: Collection[str], now: float, join_seconds: float
) -> list[Lost]:
    """Those of `workers` that are on hold, gone from the queue, or run for `join_seconds` and do not join.

    `workers`: name → job, of those who were in the queue before `jobs` was asked for. `now` in epoch seconds.
    """
    queue = {job.id: job for job in jobs}
    reasons = {name: _reason(queue.get(job), name in joined, now, join_seconds) for name, job in workers.items()}
    return [Lost(name, reason) for name, reason in reasons.items() if reason]


def _reason(job: Job | None, joined: bool, now: float, join_seconds: float) -> str:
    if job is None or job.state.final:
        return "its job is not in the queue any more"
    if job.state is JobState.HELD:
        return f"its job is on hold: {job.ad.get('HoldReason') or 'no reason given'}"
    if job.state is JobState.RUNNING and not joined and now - job.since > join_seconds:
        return f"it runs for {now - job.since:.0f} s and has not joined"
    return ""


@dataclass
class Patience:
    """How many looks found somebody lost since the last worker joined."""

    in_a_row: int = 0

    def after(self, new: Collection[str], gone: Collection[Lost]) -> bool:
        """Whether the lost are to be replaced; `new` joined since the look before."""
        if new:
            self.in_a_row = 0
        self.in_a_row += bool(gone)
        return self.in_a_row <= MOST_IN_A_ROW
