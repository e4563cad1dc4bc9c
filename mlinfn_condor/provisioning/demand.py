"""What idle jobs need, a hundred thousand of them as a few hundred needs: pure."""

import math
from collections.abc import Collection, Hashable, Iterable
from dataclasses import dataclass, field, replace

from mlinfn_condor.pool import Job, JobId, JobState
from mlinfn_condor.submission.asks import Ask
from mlinfn_condor.submission.phrases import plural

_ASKS = (
    "PriorityClass",
    "Project",
    "RequestCpus",
    "RequestMemory",
    "RequestGPUs",
    "RequireGPUs",
    "RequestFPGAs",
    "RequireFPGAs",
)
ATTRIBUTES = (*_ASKS, "ClusterId", "EnteredCurrentStatus", "JobStatus", "JobUniverse", "Owner", "ProcId")
"""All that is read of a job here: a query of a long queue need not ask for more, and has to ask for JobUniverse."""

_ON_ACCESS_POINT = (7, 12)
"""Scheduler and local universe: DAGMan and the like, which need no node."""
_MEMORY_STEP_MB = 128
"""To which the startds round a request up (condor_config.d/65 and 66)."""


@dataclass(frozen=True)
class Need:
    """Idle jobs of one class and project that ask for the same. Its size is what their slot will be given."""

    ask: Ask
    project: str
    count: int
    users: int
    since: int
    """Epoch seconds at which the one that waits longest became idle."""
    job: JobId
    """That one, to speak of them by an example."""

    def covers(self, job: Job) -> bool:
        """Whether the job, were it idle, is one of these."""
        return job.project == self.project and settled(job) == self.ask

    @property
    def words(self) -> str:
        """`3 batch jobs of alpha, each asking 1 A100, 2 cores and 4.0 GB of memory`."""
        each = "each asking" if self.count > 1 else "asking"
        jobs = plural(self.count, f"{self.ask.priority_class.value} job")
        return f"{jobs}{f' of {self.project}' if self.project else ''}, {each} {self.ask.words}"


@dataclass(slots=True)
class _Tally:
    ask: Ask
    project: str
    oldest: Job
    since: float = math.inf
    count: int = 0
    users: set[object] = field(default_factory=set)


def settled(job: Job) -> Ask:
    """The job's request, rounded up as the node will round it."""
    ask = Ask.of(job)
    return replace(ask, memory_mb=-(-ask.memory_mb // _MEMORY_STEP_MB) * _MEMORY_STEP_MB)


def needs(jobs: Iterable[Job], served: Collection[JobId] = ()) -> list[Need]:
    """Idle jobs that a node could start, by what they need; held jobs and those of the access point don't count.

    `served` are jobs that have a slot already: the queue tells of their start a moment later than the slot.
    """
    by_values: dict[Hashable, _Tally] = {}
    by_need: dict[tuple[Ask, str], _Tally] = {}
    for job in jobs:
        ad = job.ad
        if job.state is not JobState.IDLE or ad.get("JobUniverse") in _ON_ACCESS_POINT or (served and job.id in served):
            continue
        # A request is read once for all jobs that spell it alike: reading each of 100,000 would take seconds.
        values: Hashable = tuple(map(ad.get, _ASKS))
        try:
            tally = by_values.get(values)
        except TypeError:  # a list, which no sane job asks for
            values = repr(values)
            tally = by_values.get(values)
        if tally is None:
            ask, project = settled(job), job.project
            tally = by_values[values] = by_need.setdefault((ask, project), _Tally(ask, project, job))
        tally.count += 1
        tally.users.add(ad.get("Owner"))
        since = ad.get("EnteredCurrentStatus")
        if isinstance(since, int | float) and since < tally.since:
            tally.oldest, tally.since = job, since
    return [
        Need(tally.ask, tally.project, tally.count, len(tally.users), tally.oldest.since, tally.oldest.id)
        for tally in by_need.values()
    ]
