"""Boosts with an end, as the negotiator keeps them: a floor, a factor, a ceiling of one submitter. And a twin."""

import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Protocol

from mlinfn_condor.errors import PoolUnavailable
from mlinfn_condor.pool import bindings, commands
from mlinfn_condor.pool.commands import CommandFailed


class LeaseKind(StrEnum):
    """What is lent."""

    FLOOR = "floor"
    """Slot weights up to which the submitter is served before the others of his group."""
    FACTOR = "factor"
    """What his usage is multiplied with; a smaller one is served first."""
    CEILING = "ceiling"
    """Slot weights beyond which he gets nothing."""


ATTRIBUTE = {LeaseKind.FLOOR: "Floor", LeaseKind.FACTOR: "PriorityFactor", LeaseKind.CEILING: "Ceiling"}


@dataclass(frozen=True, order=True)
class Lease:
    """One that is in force."""

    submitter: str
    """As the negotiator accounts it: `group_batch.alpha.alice@domain`."""
    kind: LeaseKind
    value: float
    before: float
    """What holds again afterwards; -1 is no ceiling."""
    ends: float
    """Epoch seconds."""


class Leases(Protocol):
    """Leases of a pool, with an administrator's rights. Every method raises PoolUnavailable."""

    def give(self, submitter: str, kind: LeaseKind, value: float, seconds: int) -> None:
        """Lend something for some time; one of this kind that the submitter has is replaced."""
        ...

    def cancel(self, submitter: str, kind: LeaseKind) -> None:
        """End a lease now; without one it is nothing."""
        ...

    def in_force(self) -> list[Lease]:
        """All of them, by submitter."""
        ...


class RealLeases:
    """Those of the pool that `environment` leads to, by condor_userprio: the bindings know no leases (25.14.1)."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        bindings.connect(environment or {})
        self._environment = {**os.environ, **(environment or {})}

    def give(self, submitter: str, kind: LeaseKind, value: float, seconds: int) -> None:
        """See Leases. The negotiator refuses a second one (25.14.1): the first is ended before."""
        self.cancel(submitter, kind)
        self._run(f"-set{kind.value}", submitter, f"{value:g}", "-duration", str(seconds))

    def cancel(self, submitter: str, kind: LeaseKind) -> None:
        """See Leases."""
        if any((lease.submitter, lease.kind) == (submitter, kind) for lease in self.in_force()):
            self._run(f"-cancel{kind.value}lease", submitter)

    def in_force(self) -> list[Lease]:
        """See Leases."""
        wanted = [f"{name}{part}" for name in ATTRIBUTE.values() for part in ("", "PreLeaseValue", "LeaseExpiration")]
        told = self._run("-negotiator", "-allusers", "-af", "Name", *wanted)
        return sorted(lease for line in told.splitlines() for lease in _leases(line.split()))

    def _run(self, *words: str) -> str:
        try:
            return commands.run(self._environment, "condor_userprio", *words)
        except CommandFailed as error:
            told = f"the negotiator did not change anything (only administrators may): {error}"
            raise PoolUnavailable(told) from error


def _leases(words: list[str]) -> list[Lease]:
    submitter, found = words[0], []
    for place, kind in enumerate(ATTRIBUTE):
        value, before, ends = words[1 + 3 * place : 4 + 3 * place]
        if ends != "undefined" and float(ends) > 0:
            found.append(Lease(submitter, kind, float(value), float(before), float(ends)))
    return found


class TwinLeases:
    """Leases in memory."""

    def __init__(self) -> None:
        self._given: dict[tuple[str, LeaseKind], Lease] = {}

    def give(self, submitter: str, kind: LeaseKind, value: float, seconds: int) -> None:
        """See Leases."""
        before = {LeaseKind.FLOOR: 0.0, LeaseKind.FACTOR: 1000.0, LeaseKind.CEILING: -1.0}[kind]
        self._given[submitter, kind] = Lease(submitter, kind, value, before, time.time() + seconds)

    def cancel(self, submitter: str, kind: LeaseKind) -> None:
        """See Leases."""
        self._given.pop((submitter, kind), None)

    def in_force(self) -> list[Lease]:
        """See Leases."""
        return sorted(lease for lease in self._given.values() if lease.ends > time.time())
