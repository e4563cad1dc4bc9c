"""The hub's sessions as jobs: their names in the queue, and what may be said of them. Pure."""

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Job, JobId, ads

ACCESS_POINT = PriorityClass.INTERACTIVE.access_point
ATTRIBUTES = ("MlinfnHub", "MlinfnSession", "NumShadowStarts", "RemoteHost")
"""What a look at the queue asks for beside what a Job is made of."""

_SLUG_LENGTH = 19


class Life(StrEnum):
    """Whether a session lives. A hub that takes the third for the second takes people's work from them."""

    IN_QUEUE = "in queue"
    """Its access point has the job: it waits, runs, or is started again on another node."""
    GONE = "gone"
    """Its access point answered, and has no such job."""
    UNKNOWN = "unknown"
    """Nobody answered since the job was submitted."""


@dataclass(frozen=True)
class Look:
    """One look at the queue of the sessions' access point."""

    jobs: Mapping[JobId, Job] = field(default_factory=dict)
    asked: float = float("-inf")
    """When the question was put (monotonic seconds): what was submitted later need not be in the answer."""

    def life(self, job: JobId, submitted: float) -> Life:
        """What this look says of a job; `submitted` is when its submit was over (monotonic seconds)."""
        found = self.jobs.get(job)
        if found is not None:
            return Life.GONE if found.state.final else Life.IN_QUEUE
        return Life.GONE if self.asked > submitted else Life.UNKNOWN

    def of(self, user: str, server: str) -> list[Job]:
        """Jobs of this user's server (a slug), those that are on their way out included."""
        return [job for job in self.jobs.values() if job.user == user and slug_of(job) == server]


def constraint(hub: str) -> str:
    """The expression that selects all sessions of a hub: one query for all of its users."""
    return f'MlinfnHub == "{hub}"'


def slug(server: str) -> str:
    """A server's name as HTCondor and file systems take it; distinct names stay distinct.

    `` → `hub-default`, `my-gpu` → `hub-my-gpu`, `Übung 1` → `hub-bung-1-0f3a9c21`.
    """
    if not server:
        return "hub-default"
    plain = re.sub(r"[^a-z0-9]+", "-", server.lower()).strip("-")[:_SLUG_LENGTH].strip("-")
    if plain == server and plain != "default":
        return f"hub-{plain}"
    digest = hashlib.sha256(server.encode()).hexdigest()[:8]
    return "-".join(filter(None, ["hub", plain, digest]))


def slug_of(job: Job) -> str:
    """The slug of the server that the job is."""
    return ads.text(job.ad, "MlinfnSession")


def orphans(look: Look, claimed: set[JobId], now: int, grace_seconds: int) -> list[JobId]:
    """Sessions that no server of the hub stands for, once they had time to be claimed: the hub lost them half-way."""
    return [
        job.id
        for job in look.jobs.values()
        if job.id not in claimed and not job.state.final and now - max(ads.whole(job.ad, "QDate"), 0) > grace_seconds
    ]


def started_again(before: Job | None, now: Job | None) -> bool:
    """Whether the job has had another start since: its node was lost, and it lives on elsewhere."""
    if before is None or now is None or not ads.whole(before.ad, "JobCurrentStartDate"):
        return False
    return ads.whole(now.ad, "JobCurrentStartDate") > ads.whole(before.ad, "JobCurrentStartDate")


def home_of(homes: str, user: str) -> Path:
    """The home of a user: `/home/{username}` filled in."""
    return Path(homes.format(username=user)).expanduser()
