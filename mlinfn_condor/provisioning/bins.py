"""What is left of a node for each kind of payload, and how a payload takes from it: pure, as the policy shares a node.

A node is up to three bins that nothing flows between (condor_config.d/61, node/slots.py): its devices, which sessions
and the backfill slot have in common, the cores of sessions without a device, and those of dask and batch without one.
"""

from dataclasses import dataclass, replace
from typing import NamedTuple, Protocol, Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import DeviceKind


class Model(NamedTuple):
    """A model of device."""

    kind: DeviceKind
    name: str


@dataclass(frozen=True)
class Load:
    """One job, as bins see it."""

    priority_class: PriorityClass
    project: str
    cpus: int
    memory_mb: int
    wants: tuple[tuple[int, frozenset[Model]], ...] = ()
    """Devices: how many, and of which models."""

    @property
    def devices(self) -> int:
        """Devices of all models."""
        return sum(count for count, _ in self.wants)

    @property
    def session(self) -> bool:
        """Whether it is one."""
        return self.priority_class is PriorityClass.INTERACTIVE

    def rank(self, owner_project: str) -> int:
        """Whom a startd would rather have on its backfill slot: owner before guest, then dask before batch."""
        return rank(self.priority_class, self.project, owner_project)


def rank(priority_class: PriorityClass | None, project: str, owner_project: str) -> int:
    """The order of condor_config.d/64; LEAVING is below all."""
    owner = bool(project) and project == owner_project
    return 2 * owner + (priority_class is PriorityClass.DASK)


LEAVING = -1
"""Rank of a payload that has been told to go."""


class Bin(Protocol):
    """Something that loads are put into. It is a value: taking from it gives another one."""

    @property
    def empty(self) -> bool:
        """Whether nothing can be taken any more."""
        ...

    @property
    def size(self) -> int:
        """How much is left: orders bins so that what has been begun is filled first."""
        ...

    def take(self, load: Load, count: int, *, displace: bool) -> tuple[int, Self]:
        """Put in up to `count` of these loads: how many went in, and what is left."""
        ...


@dataclass(frozen=True)
class Bare:
    """Cores and memory without a device."""

    cpus: int
    memory_mb: int

    @property
    def empty(self) -> bool:
        """See Bin."""
        return self.cpus < 1 or self.memory_mb < 1

    @property
    def size(self) -> int:
        """See Bin."""
        return self.cpus

    def take(self, load: Load, count: int, *, displace: bool) -> tuple[int, Self]:
        """See Bin. CPUs and memory displace nobody (63)."""
        fitting = min(count, self.cpus // max(1, load.cpus), self.memory_mb // max(1, load.memory_mb))
        left = (self.cpus - fitting * load.cpus, self.memory_mb - fitting * load.memory_mb)
        return fitting, replace(self, cpus=left[0], memory_mb=left[1])


@dataclass(frozen=True)
class Share:
    """The devices of one model on a node that no session has."""

    model: Model
    free: int
    held: tuple[tuple[int, int], ...] = ()
    """Rank and devices of each dask or batch job on them, those that give way first in front."""

    @property
    def count(self) -> int:
        """All of them."""
        return self.free + sum(devices for _, devices in self.held)


@dataclass(frozen=True)
class Devices:
    """A node's devices, each of which brings its cores and memory along."""

    shares: tuple[Share, ...]
    cpus: int
    """Cores that belong to each device; what asks for more of them starts on no such node."""
    memory_mb: int
    owner_project: str = ""

    @property
    def empty(self) -> bool:
        """See Bin."""
        return not any(share.free or share.held for share in self.shares)

    @property
    def size(self) -> int:
        """See Bin."""
        return sum(share.free for share in self.shares)

    def take(self, load: Load, count: int, *, displace: bool) -> tuple[int, Self]:
        """See Bin. What is free is taken first; who displaces whom is as in condor_config.d/63 and 64."""
        if load.cpus > load.devices * self.cpus or load.memory_mb > load.devices * self.memory_mb:
            return 0, self
        taken, shares = 0, self.shares
        while taken < count:
            after = _from_one(shares, load) if load.session else _from_all(shares, load)
            if after is None and displace:
                after = _for_session(shares, load) if load.session else _by_rank(shares, load, self.owner_project)
            if after is None:
                break
            taken, shares = taken + 1, after
        return taken, replace(self, shares=shares) if taken else self


Shares = tuple[Share, ...]


def _from_one(shares: Shares, load: Load) -> Shares | None:
    """Free devices of one model: a session's slot has no other."""
    if len(load.wants) != 1:
        return None
    ((count, models),) = load.wants
    for place, share in enumerate(shares):
        if share.model in models and share.free >= count:
            return _with(shares, place, replace(share, free=share.free - count))
    return None


def _from_all(shares: Shares, load: Load) -> Shares | None:
    """Free devices of any models that suit: the backfill slot has them all."""
    for missing, models in load.wants:
        for place, share in enumerate(shares):
            if missing and share.free and share.model in models:
                given = min(missing, share.free)
                shares = _with(shares, place, replace(share, free=share.free - given))
                missing -= given
        if missing:
            return None
    return shares


def _for_session(shares: Shares, load: Load) -> Shares | None:
    """What is free, and then the devices of whoever is in the way: as many payloads leave as it takes."""
    if len(load.wants) != 1:
        return None
    ((count, models),) = load.wants
    for place, share in enumerate(shares):
        if share.model in models and share.count >= count:
            free, held = share.free, list(share.held)
            while free < count:
                free += held.pop(0)[1]
            return _with(shares, place, replace(share, free=free - count, held=tuple(held)))
    return None


def _by_rank(shares: Shares, load: Load, owner_project: str) -> Shares | None:
    """The slot of one payload of lower rank, handed over as it is."""
    if len(load.wants) != 1:
        return None
    ((count, models),) = load.wants
    mine = load.rank(owner_project)
    for place, share in enumerate(shares):
        for victim, (theirs, devices) in enumerate(share.held if share.model in models else ()):
            if theirs < mine and devices >= count:
                return _with(shares, place, replace(share, held=share.held[:victim] + share.held[victim + 1 :]))
    return None


def _with(shares: Shares, place: int, share: Share) -> Shares:
    return (*shares[:place], share, *shares[place + 1 :])
