"""One look at the pool, on which status and why are pure functions."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Job, JobId, JobState, Pool, Priority, Slot, find_job

REPORT_SECONDS = 10
"""How late a startd tells the collector of a new claim: a second or two on a quiet pool."""


@dataclass(frozen=True)
class Snapshot:
    """Queues, slots and priorities of about the same moment, the epoch second `now`."""

    jobs: tuple[Job, ...]
    slots: tuple[Slot, ...]
    priorities: tuple[Priority, ...]
    now: int
    promised: tuple[Slot, ...] = ()
    """Slots of nodes that are not there, but could be added."""

    @classmethod
    def take(cls, pool: Pool, also: JobId | None = None, now: int | None = None) -> Self:
        """Look at the pool; `also` brings in a job that may have left the queue. Raises JobNotFound for it."""
        jobs = pool.jobs()
        if also is not None and all(job.id != also for job in jobs):
            jobs.append(find_job(pool, also))
        slots = _described(pool)
        now = int(time.time()) if now is None else now
        return cls(tuple(jobs), (*_unreported(jobs, slots, now), *slots), tuple(pool.priorities()), now)

    @classmethod
    def of_sessions(cls, pool: Pool) -> Self:
        """Sessions alone, beside all slots: thousands of idle batch jobs say nothing about when a session starts."""
        jobs = pool.jobs(access_points=[PriorityClass.INTERACTIVE.access_point])
        now = int(time.time())
        slots = _described(pool)
        return cls(tuple(jobs), (*_unreported(jobs, slots, now), *slots), tuple(pool.priorities()), now)

    def with_job(self, job: Job) -> Self:
        """The same with one more job, or with a newer view of it."""
        return replace(self, jobs=(*(one for one in self.jobs if one.id != job.id), job))

    def job(self, job_id: JobId) -> Job | None:
        """The job of this id, if the snapshot has it."""
        return next((job for job in self.jobs if job.id == job_id), None)


def _described(pool: Pool) -> list[Slot]:
    """All slots; whole ads only of the few that describe the devices, the many that run jobs name them by id."""
    return [*pool.slots("PartitionableSlot is true"), *pool.slots("PartitionableSlot isnt true", [])]


def _unreported(jobs: Iterable[Job], slots: Iterable[Slot], now: int) -> Iterator[Slot]:
    """Slots of jobs that have just started while the collector has not heard of it.

    Only just: a job that is long "running" on a slot that nobody reports has lost its node, and holds nothing.
    """
    reported = {slot.job for slot in slots if slot.claimed}
    for job in jobs:
        just_started = job.state is JobState.RUNNING and now - job.since <= REPORT_SECONDS
        if just_started and job.id not in reported and job.ad.get("RemoteHost") and not job.elsewhere:
            session = job.priority_class is PriorityClass.INTERACTIVE
            described = {
                "Name": job.ad["RemoteHost"],
                "State": "Claimed",
                "MlinfnOffer": "session" if session else "opportunistic" if job.devices else "work",
                "GlobalJobId": f"{job.id.access_point}#{job.id.local}#",
                "RemoteOwner": job.user,
                "JobStart": job.since,
                "EnteredCurrentState": job.since,
            }
            carried = ("AssignedGPUs", "AssignedFPGAs", "PriorityClass", "Project", "JobMaxVacateTime")
            yield Slot.from_ad({name: job.ad.get(name) for name in carried} | described)
