"""What a viewer sees of the queues: pure, from one look at them."""

from dataclasses import dataclass
from statistics import median

from mlinfn_condor.pool import Job, JobState
from mlinfn_condor.submission.devices import held_devices
from mlinfn_condor.submission.snapshot import Snapshot
from mlinfn_condor.submission.why import by_node, reason


@dataclass(frozen=True)
class Waiting:
    """Idle jobs of a class and project. Waits in seconds."""

    priority_class: str
    project: str
    jobs: int
    median_wait: int
    longest_wait: int
    reason: str
    """Of the one that waits longest."""
    held_reason: str = ""
    """Why the last one that was put on hold is."""


@dataclass(frozen=True)
class MyJob:
    """One job as its owner sees it. Times are epoch seconds, memory MiB."""

    id: str
    priority_class: str
    project: str
    state: str
    since: int
    cpus: int
    memory_mb: int
    devices: int
    starts: int
    hold_reason: str


@dataclass(frozen=True)
class Queue:
    """Of the moment `at` (epoch seconds)."""

    at: float
    waiting: tuple[Waiting, ...]
    jobs_of: dict[str, tuple[MyJob, ...]]
    """By user."""
    cpu_seconds: float = 0
    """What the look took of the CPU."""


def queue(snapshot: Snapshot, at: float) -> Queue:
    """Who waits how long and for what, and everybody's own jobs."""
    groups: dict[tuple[str, str], list[Job]] = {}
    mine: dict[str, list[MyJob]] = {}
    for job in snapshot.jobs:
        if not job.state.final:
            mine.setdefault(job.user, []).append(_mine(job))
            groups.setdefault((_class(job), job.project), []).append(job)
    held = by_node(held_devices(snapshot.slots))
    told = []
    for (kind, project), jobs in sorted(groups.items()):
        idle = [job for job in jobs if job.state is JobState.IDLE]
        stopped = [job for job in jobs if job.state is JobState.HELD]
        why_held = str(max(stopped, key=lambda job: job.since).ad.get("HoldReason", "")) if stopped else ""
        if idle:
            waits = [max(0, snapshot.now - job.since) for job in idle]
            why = reason(snapshot, min(idle, key=lambda job: job.since), held)
            told.append(Waiting(kind, project, len(idle), round(median(waits)), max(waits), why, why_held))
        elif stopped:
            told.append(Waiting(kind, project, 0, 0, 0, "", why_held))
    return Queue(at, tuple(told), {user: tuple(sorted(jobs, key=_order)) for user, jobs in mine.items()})


def _mine(job: Job) -> MyJob:
    devices = sum(int(n) for name in ("RequestGPUs", "RequestFPGAs") if isinstance(n := job.ad.get(name), int | float))
    starts = job.ad.get("NumJobStarts")
    return MyJob(
        str(job.id),
        _class(job),
        job.project,
        job.state.value,
        job.since,
        job.cpus,
        job.memory_mb,
        devices,
        starts if isinstance(starts, int) else 0,
        str(job.ad.get("HoldReason", "")) if job.state is JobState.HELD else "",
    )


def _order(job: MyJob) -> tuple[int, int, str]:
    place = {JobState.RUNNING.value: 0, JobState.HELD.value: 1, JobState.IDLE.value: 2}
    return place.get(job.state, 3), -job.since, job.id


def _class(job: Job) -> str:
    return job.priority_class.value if job.priority_class else "none"
