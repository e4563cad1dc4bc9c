"""What a pool does for us. The real one and the twin pass the same tests (tests/contract)."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobNotFound
from mlinfn_condor.pool.addable import Addable
from mlinfn_condor.pool.events import Happening
from mlinfn_condor.pool.jobs import Job, JobId, JobState
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.slots import Slot
from mlinfn_condor.pool.submitters import Submitter

ACCESS_POINTS = (PriorityClass.INTERACTIVE.access_point, PriorityClass.BATCH.access_point)


class Pool(Protocol):
    """A pool, with the rights of one user. Every method raises PoolUnavailable when a daemon does not answer."""

    def submit(self, description: str, access_point: str, rows: Sequence[Mapping[str, str]] = ()) -> JobId:
        """Queue the jobs of a submit description, one per row (or as its `queue` says), in one transaction.

        A row gives macros their values. Returns the first job; the others count up in `proc`.
        Raises JobRefused with the pool's reason, and then nothing is queued.
        """
        ...

    def jobs(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
    ) -> list[Job]:
        """Jobs in the queues, oldest first, with `attributes` in their ads beside those a Job is made of."""
        ...

    def history(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
        limit: int = -1,
    ) -> list[Job]:
        """Jobs that have left the queues, latest first, at most `limit` of each access point."""
        ...

    def slots(self, constraint: str = "true", attributes: Sequence[str] | None = None) -> list[Slot]:
        """Slots of all nodes. Without `attributes` the ads are whole, the devices' properties included."""
        ...

    def priorities(self) -> list[Priority]:
        """Submitters and accounting groups, as the negotiator last published them (each cycle)."""
        ...

    def addable(self) -> list[Addable]:
        """What one more node of each kind that a provisioner can still add would bring, as the negotiator was told."""
        ...

    def submitters(self) -> list[Submitter]:
        """Who has how many jobs, as the access points last told the collector; the queues themselves are not read."""
        ...

    def remove(self, job: JobId, reason: str) -> None:
        """Take a job out of the queue; a running one gets its window. JobNotFound; JobRefused for another's."""
        ...

    def remove_submit(self, first: JobId, reason: str) -> None:
        """Take all jobs that came with `first` (its cluster) out of the queue; none left of them is no mistake."""
        ...

    def reconfigure(self, access_point: str) -> None:
        """Have an access point read its configuration and its maps again; it has when this returns.

        Only administrators may: PoolUnavailable for others.
        """
        ...

    def reconfigure_collector(self) -> None:
        """Have the collector read its configuration and its maps again. Only administrators may: PoolUnavailable."""
        ...

    def wait_for(self, job: JobId, state: JobState, seconds: float) -> Job:
        """Wait until the job is (or, if it has ended, was) in `state`, and return it.

        Raises JobHeld at once when it goes on hold instead, JobEnded when it ended without, Timeout after `seconds`.
        """
        ...

    def follow(self, submits: Sequence[JobId]) -> Iterator[list[Happening]]:
        """What happens to all jobs of these submits (each by one of its jobs): what has happened, then what does.

        From the event log, so no daemon is asked meanwhile. Batches may be empty, and come about every second. Raises
        JobNotFound for a job that there never was, PoolUnavailable when there is no log to read.
        """
        ...


def find_job(pool: Pool, job: JobId, attributes: Sequence[str] = ()) -> Job:
    """The job, from the queue or from the history. Raises JobNotFound."""
    where = job.constraint
    found = pool.jobs(where, attributes, [job.access_point]) or pool.history(where, attributes, [job.access_point], 1)
    if not found:
        raise JobNotFound(f"{job.access_point} knows no job {job.local}: `mlinfn status` lists those it has")
    return found[0]
