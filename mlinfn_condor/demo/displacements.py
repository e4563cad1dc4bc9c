"""Who displaced whom: pure, from the access points' records of each execution attempt (epoch history)."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import JobId
from mlinfn_condor.pool.ads import names, text, whole

ATTRIBUTES = (
    "AssignedFPGAs",
    "AssignedGPUs",
    "EpochWriteDate",
    "GlobalJobId",
    "JobCurrentStartDate",
    "Owner",
    "PriorityClass",
    "VacateReasonCode",
)

PRECEDENCE = list(PriorityClass)

DISPLACED = frozenset({1005, 1011})
"""VacateReasonCode of an attempt that the startd ended: by RANK (which gives no reason of its own), by PREEMPT."""


@dataclass(frozen=True)
class Attempt:
    """One execution of a job, from start to end (epoch seconds)."""

    job: JobId
    user: str
    priority_class: PriorityClass
    devices: frozenset[str]
    started: int
    ended: int
    displaced: bool

    @classmethod
    def from_ad(cls, ad: Mapping[str, Any]) -> Self:
        """Read a record of the epoch history."""
        access_point, local, *_ = text(ad, "GlobalJobId").split("#")
        return cls(
            JobId.parse(access_point + local),
            text(ad, "Owner"),
            PriorityClass(text(ad, "PriorityClass")),
            frozenset(names(ad, "AssignedGPUs") + names(ad, "AssignedFPGAs")),
            whole(ad, "JobCurrentStartDate"),
            whole(ad, "EpochWriteDate"),
            whole(ad, "VacateReasonCode") in DISPLACED,
        )


@dataclass(frozen=True)
class Displacement:
    """One attempt that had to go, and the attempt that got its device; `newcomer` None when no record tells."""

    victim: Attempt
    newcomer: Attempt | None


def displacements(attempts: Iterable[Attempt]) -> list[Displacement]:
    """Every displacement in the records, oldest first.

    The newcomer is of a class that comes first and had the victim's device next: a session starts while its victim
    is still saving, a Dask worker after it has left. An attempt is recorded when it ends, so who still runs is no
    newcomer yet.
    """
    attempts = list(attempts)
    victims = sorted((one for one in attempts if one.displaced), key=lambda one: (one.ended, one.job))
    return [Displacement(victim, _newcomer(victim, attempts)) for victim in victims]


def _newcomer(victim: Attempt, attempts: list[Attempt]) -> Attempt | None:
    later = [
        one
        for one in attempts
        if one.devices & victim.devices
        and PRECEDENCE.index(one.priority_class) < PRECEDENCE.index(victim.priority_class)
        and one.started >= victim.started
        and one.ended >= victim.ended
    ]
    return min(later, key=lambda one: one.started, default=None)
