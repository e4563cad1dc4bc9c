"""Jobs as an access point tells of them."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import BadRequest, PoolUnavailable
from mlinfn_condor.pool import ads
from mlinfn_condor.pool.ads import Ad
from mlinfn_condor.pool.images import ImageKind

DEFAULT_ACCESS_POINT = PriorityClass.BATCH.access_point

_JOB_ID = re.compile(r"(?:(?P<access_point>[A-Za-z][\w.-]*@))?(?P<cluster>\d+)(?:\.(?P<proc>\d+))?")


@dataclass(frozen=True, order=True)
class JobId:
    """A job of the pool. Two access points count their clusters apart, so the number alone is not a name."""

    access_point: str
    cluster: int
    proc: int = 0

    def __str__(self) -> str:
        return f"{self.access_point}{self.local}"

    @property
    def local(self) -> str:
        """The id as its own access point writes it: `12.0`."""
        return f"{self.cluster}.{self.proc}"

    @property
    def constraint(self) -> str:
        """The expression that selects this job in its access point."""
        return f"ClusterId == {self.cluster} && ProcId == {self.proc}"

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `interactive@3.0`, `12.0` (at `batch@`) or `12` (its first job)."""
        found = _JOB_ID.fullmatch(text.strip())
        if found is None:
            raise BadRequest(f"{text!r} is no job: write batch@12.0, interactive@3.0, or 12.0 for batch@12.0")
        return cls(found["access_point"] or DEFAULT_ACCESS_POINT, int(found["cluster"]), int(found["proc"] or 0))


class JobState(StrEnum):
    """HTCondor's JobStatus, by name."""

    IDLE = "idle"
    RUNNING = "running"
    REMOVED = "removed"
    COMPLETED = "completed"
    HELD = "held"
    TRANSFERRING = "transferring output"
    SUSPENDED = "suspended"

    @property
    def final(self) -> bool:
        """Whether a job stays in this state for ever."""
        return self in (JobState.REMOVED, JobState.COMPLETED)


JOB_STATE = {
    1: JobState.IDLE,
    2: JobState.RUNNING,
    3: JobState.REMOVED,
    4: JobState.COMPLETED,
    5: JobState.HELD,
    6: JobState.TRANSFERRING,
    7: JobState.SUSPENDED,
}

JOB_ATTRIBUTES = (
    "AccountingGroup",
    "AssignedFPGAs",
    "AssignedGPUs",
    "ClusterId",
    "ContainerImage",
    "DockerImage",
    "EnteredCurrentStatus",
    "ExitCode",
    "HoldReason",
    "Iwd",
    "JobCurrentStartDate",
    "JobMaxVacateTime",
    "JobPrio",
    "JobStatus",
    "LastRejMatchReason",
    "NumJobStarts",
    "Owner",
    "PriorityClass",
    "ProcId",
    "Project",
    "QDate",
    "RemoteHost",
    "RemotePool",
    "RemoveReason",
    "RequestCpus",
    "RequestDisk",
    "RequestFPGAs",
    "RequestGPUs",
    "RequestMemory",
    "RequireFPGAs",
    "RequireGPUs",
    "User",
    "UserLog",
    "WantDocker",
)
"""What a Job is made of; a query asks for these and what its caller adds."""


@dataclass(frozen=True)
class Job:
    """One job. Times are epoch seconds, memory MiB, disk KiB; what the ad does not tell is empty or 0."""

    id: JobId
    state: JobState
    ad: Ad = field(repr=False, compare=False)

    @classmethod
    def from_ad(cls, access_point: str, ad: Ad) -> Self:
        """Read a job ad of the queue or the history."""
        code = ads.whole(ad, "JobStatus")
        if code not in JOB_STATE:
            raise PoolUnavailable(f"{access_point} told of a JobStatus {code}, which HTCondor does not document")
        return cls(JobId(access_point, ads.whole(ad, "ClusterId"), ads.whole(ad, "ProcId")), JOB_STATE[code], ad)

    @property
    def image(self) -> ImageKind | None:
        """How the image that it runs in comes; None: it runs on the node itself."""
        if self.ad.get("WantDocker") is True:
            return ImageKind.DOCKER
        if image := ads.text(self.ad, "ContainerImage"):
            return ImageKind.of(image)
        return ImageKind.REGISTRY if ads.text(self.ad, "DockerImage") else None

    @property
    def elsewhere(self) -> str:
        """Collector of the other pool that it runs in, because it flocked; empty: it does not."""
        return ads.text(self.ad, "RemotePool")

    @property
    def user(self) -> str:
        """Who submitted it, without the domain."""
        return ads.text(self.ad, "Owner") or ads.text(self.ad, "User").partition("@")[0]

    @property
    def submitter(self) -> str:
        """The name under which the negotiator accounts it: `group_batch.alpha.alice@domain`, or the user's own."""
        user = ads.text(self.ad, "User")
        group = ads.text(self.ad, "AccountingGroup")
        return group if not group or "@" in group else f"{group}@{user.partition('@')[2]}" if user else group

    @property
    def priority_class(self) -> PriorityClass | None:
        """None for a job that came round the pool's policy."""
        return class_of(self.ad)

    @property
    def project(self) -> str:
        """The project it is accounted on."""
        return ads.text(self.ad, "Project")

    @property
    def cpus(self) -> int:
        """Cores it asks for."""
        return ads.whole(self.ad, "RequestCpus", 1)

    @property
    def memory_mb(self) -> int:
        """Memory it asks for."""
        return ads.whole(self.ad, "RequestMemory")

    @property
    def disk_kb(self) -> int:
        """Scratch space it asks for."""
        return ads.whole(self.ad, "RequestDisk")

    @property
    def devices(self) -> tuple[str, ...]:
        """Ids of the devices it was given; kept by HTCondor after the job has left them."""
        return ads.names(self.ad, "AssignedGPUs") + ads.names(self.ad, "AssignedFPGAs")

    @property
    def window_seconds(self) -> int | None:
        """How long it may take to save its state when it has to go; None: the pool's default."""
        value = self.ad.get("JobMaxVacateTime")
        return int(value) if isinstance(value, int | float) else None

    @property
    def since(self) -> int:
        """When it entered its state."""
        return ads.whole(self.ad, "EnteredCurrentStatus")

    @property
    def log(self) -> str:
        """Absolute path of its event log; empty when it keeps none."""
        path = ads.text(self.ad, "UserLog")
        return path if not path or path.startswith("/") else f"{ads.text(self.ad, 'Iwd')}/{path}"


def class_of(ad: Mapping[str, object]) -> PriorityClass | None:
    """The PriorityClass that a job or slot ad names; None for none or an unknown one."""
    try:
        return PriorityClass(str(ad.get("PriorityClass")))
    except ValueError:
        return None
