"""What a plan consists of: things to do, what becomes of each need, and the reason of each in words."""

from dataclasses import dataclass
from typing import TypeAlias

from mlinfn_condor.pool import Job
from mlinfn_condor.provisioning.backoff import Failure
from mlinfn_condor.provisioning.demand import Need
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Room


@dataclass(frozen=True)
class Start:
    """Ask for a glidein."""

    kind: str
    name: str
    reason: str
    warm: bool = False


@dataclass(frozen=True)
class Retire:
    """Tell an idle glidein to leave. Who comes in the meantime is drained with it, and gets his window."""

    name: str
    reason: str


@dataclass(frozen=True)
class KeepOn:
    """Tell a glidein that drains to stay."""

    name: str
    reason: str


@dataclass(frozen=True)
class Remove:
    """Clear away a glidein that ended, failed, or never began and is needed no longer."""

    name: str
    reason: str


Action: TypeAlias = Start | Retire | KeepOn | Remove


@dataclass(frozen=True)
class Fate:
    """What becomes of a need: how many of its jobs go where."""

    need: Need
    free: int = 0
    """To room that is free."""
    displacing: int = 0
    """To devices whose holders give way."""
    kept: tuple[tuple[str, int], ...] = ()
    """To nodes that drained, and are told to stay."""
    coming: tuple[tuple[str, int], ...] = ()
    """To nodes that start, those included that this plan asks for."""
    blocked: int = 0
    """Nowhere."""
    reason: str = ""
    """Why some are blocked."""


@dataclass(frozen=True)
class Plan:
    """What to do, in this order, and why; and what was understood on the way."""

    actions: tuple[Action, ...]
    fates: tuple[Fate, ...] = ()
    distrust: str = ""
    """Why this plan concludes nothing from the slots."""
    failures: tuple[Failure, ...] = ()
    """Seen for the first time, to be remembered for the next plans."""
    growing: tuple[str, ...] = ()
    """Models (and BARE) of which the site still lets a node be added: batch need not displace batch for those."""
    addable: tuple[tuple[NodeKind, Room], ...] = ()
    """The same kinds of node, and what a new one of each will have."""

    @property
    def blocked(self) -> tuple[Fate, ...]:
        """Needs that nothing is or will be there for."""
        return tuple(fate for fate in self.fates if fate.blocked)

    def fate(self, job: Job) -> Fate | None:
        """What becomes of the job's need; None when it is none of this plan's."""
        return next((fate for fate in self.fates if fate.need.covers(job)), None)
