"""The nouns of provisioning: what kinds of node a site may ask for, and the glideins that it has."""

from dataclasses import dataclass
from enum import StrEnum

from mlinfn_condor.pool import DeviceKind

BARE = "bare"
"""Stands where a model would for nodes without devices."""


@dataclass(frozen=True)
class NodeKind:
    """A kind of node that the provisioner may ask for: what one glidein of it brings."""

    name: str
    """Letters, digits and `-`; part of each glidein's name."""
    cpus: int
    memory_mb: int
    device_kind: DeviceKind | None = None
    model: str = ""
    """DeviceModel as users ask for it; empty: no devices."""
    devices: int = 0
    owner_project: str = ""
    """Project that paid for it, and comes first on it."""
    pledged: bool = True
    """Ours to keep; false: opportunistic, taken last and given back first."""
    least: int = 0
    """Glideins kept warm though nobody asks for them."""
    most: int = 0
    """Never more glideins than this, whatever the demand."""
    properties: tuple[tuple[str, str | int | float | bool], ...] = ()
    """What wishes may ask of its devices beside DeviceModel (`GlobalMemoryMb`), until a node of it shows its own."""

    @property
    def offer(self) -> str:
        """What it brings, for people and for what grows (`growing`): its model, or BARE."""
        return self.model if self.devices else BARE


class Phase(StrEnum):
    """Where a glidein is in its life, as its back end sees it."""

    ASKED = "asked"
    """The back end took the request; nothing runs yet (a pod that is Pending)."""
    RUNNING = "running"
    """Its entrypoint runs. Whether it has joined the pool is for the collector to say."""
    LEAVING = "leaving"
    """It was told to end, and is on its way: it takes nothing, and still has its place."""
    ENDED = "ended"
    """It left by itself as it should, and waits to be cleared away."""
    FAILED = "failed"
    """It cannot start, or ended as it should not; `trouble` says why."""


class Trouble(StrEnum):
    """Why a glidein failed: each cause has its own back-off."""

    IMAGE = "image"
    """The image cannot be had."""
    QUOTA = "quota"
    """The namespace, the cloud or the machine has no room for it."""
    NODE = "node"
    """The machine under it went away, or it was evicted from there."""
    POOL = "pool"
    """It could not join the pool: no collector, a token that is refused."""
    STARTUP = "startup"
    """Its own start failed: configuration, devices that it should have and has not."""
    UNKNOWN = "unknown"
    """Everything else; `detail` has the words."""


@dataclass(frozen=True)
class Glidein:
    """One glidein as its back end tells of it. Times are epoch seconds."""

    name: str
    """Unique in the pool; STARTD_NAME of its startd."""
    kind: str
    """Name of its NodeKind."""
    phase: Phase
    since: float
    """When it was asked for."""
    trouble: Trouble | None = None
    detail: str = ""
    """For people: what the back end says about it."""
    uid: str = ""
    """Tells two lives of one name apart (a pod's UID); its slots advertise it as MlinfnGlideinUid."""
    running_since: float | None = None
    """When its entrypoint began; None: nothing of it runs, or the back end does not know."""
    warm: bool = False
    """Kept though nobody asks for it: it does not leave by itself."""
