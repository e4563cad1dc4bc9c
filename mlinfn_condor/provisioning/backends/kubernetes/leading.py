"""Which of several provisioners acts: the one that holds the lease.

Invariant: of those whose clocks run equally fast, however they are set, at most one acts at a time. Who holds the lease
stops acting `deadline` after it last asked for a renewal that came through; nobody takes a lease before it saw it
unchanged for the whole of its `seconds`, by its own clock; and `seconds` is longer than `deadline` and a call together.
(A process that stands still just between the question whether it leads and its call is late all the same. Then names
and UIDs keep harm away: no name is given twice, and no later pod is taken for an earlier one.)
"""

import os
import socket
import uuid
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from enum import StrEnum

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.kube import AlreadyExists, Conflict, Kube, KubeUnavailable, Lease, NotFound
from mlinfn_condor.provisioning.backends.kubernetes.clock import running

LEASE = "mlinfn-provisioner"


@dataclass(frozen=True)
class Terms:
    """All in seconds."""

    seconds: int = 75
    """After so long without a sign of life another one takes over."""
    deadline: float = 40.0
    """After so long without a renewal we stop acting ourselves: a call that is under way then ends within the rest."""
    renew: float = 10.0
    """How often we renew at most: that is what an idle loop costs the API server."""


class Step(StrEnum):
    """What to do about the lease now."""

    REST = "rest"
    """It is ours, and fresh."""
    RENEW = "renew"
    """It is ours, and to be renewed."""
    WAIT = "wait"
    """It is somebody else's."""
    TAKE = "take"
    """There is none, it was given back, it bears our name, or its holder gave no sign for its whole time."""


@dataclass(frozen=True)
class Sight:
    """The lease as we last saw it. Times are of our own clock, which only runs forward."""

    lease: Lease | None
    since: float
    """When we first saw it just so."""
    renewed: float | None = None
    """When we began to ask for what made it ours; None: we do not know that it is."""


def next_step(sight: Sight, me: str, now: float, terms: Terms) -> Step:
    """What to do. Pure."""
    if sight.renewed is not None:
        return Step.REST if now - sight.renewed < terms.renew else Step.RENEW
    lease = sight.lease
    if lease is None or lease.holder in ("", me) or now - sight.since > max(lease.seconds, terms.seconds):
        return Step.TAKE
    return Step.WAIT


def seen(sight: Sight | None, lease: Lease | None, now: float) -> Sight:
    """What we know after having read the lease: its age counts from when it last changed. Pure."""
    return sight if sight is not None and sight.lease == lease else Sight(lease, now)


class LeaseLeader:
    """See Leader. Holds the lease, or waits for it; one per process."""

    def __init__(
        self,
        kube: Kube,
        *,
        me: str = "",
        name: str = LEASE,
        terms: Terms | None = None,
        clock: Callable[[], float] = running,
    ) -> None:
        """`me`: a name that only one process can bear at a time. Without, nobody ever bears it again: a provisioner
        that was killed then waits, when it comes back, for its own old lease to end.
        """
        self.me = me or f"{socket.gethostname()}_{os.getpid()}_{uuid.uuid4().hex[:8]}"
        self._kube, self._name, self._terms, self._clock = kube, name, terms or Terms(), clock
        self._sight: Sight | None = None
        self._term = 0

    @property
    def may_act(self) -> bool:
        """Whether it is still this one, by what is known: asks nobody."""
        renewed = self._sight.renewed if self._sight else None
        return renewed is not None and self._clock() - renewed < self._terms.deadline

    @property
    def term(self) -> int:
        """Another number each time that the lease came to us from somebody else, or after it had run out."""
        return self._term

    @property
    def holder(self) -> str:
        """Who holds the lease, as far as we know."""
        return self._sight.lease.holder if self._sight and self._sight.lease else ""

    def leads(self) -> bool:
        """See Leader. Takes, renews or looks, as is due: mostly no call or one.

        Raises KubeDenied; KubeUnavailable when it neither leads nor can see who does.
        """
        try:
            if self._sight is None or self._sight.renewed is None:
                self._sight = seen(self._sight, self._kube.lease(self._name), self._clock())
            if next_step(self._sight, self.me, self._clock(), self._terms) in (Step.TAKE, Step.RENEW):
                self._write(self._sight.lease)
        except KubeUnavailable:
            if not self._in_time():
                raise
        return self._in_time()

    def resign(self) -> None:
        """See Leader: another one may take over at once. What cannot be given back ends by itself."""
        sight, self._sight = self._sight, None
        if sight and sight.renewed is not None and sight.lease:
            with suppress(MlinfnError):
                self._kube.put_lease(replace(sight.lease, holder="", seconds=1))

    def _in_time(self) -> bool:
        """Whether we lead. A lease that was not renewed in time is forgotten: whoever waits may have it by now."""
        if self._sight and self._sight.renewed is not None and not self.may_act:
            self._sight = None
        return self.may_act

    def _write(self, known: Lease | None) -> None:
        """Make the lease ours, from the version that we know."""
        try:
            self._put(known)
        except (AlreadyExists, Conflict, NotFound):
            there = self._kube.lease(self._name)
            self._sight = Sight(there, self._clock())
            if there is not None and there.holder == self.me:
                # Ours, only its answer was lost. When it was written we do not know: write it anew.
                with suppress(Conflict, NotFound):
                    self._put(there)

    def _put(self, known: Lease | None) -> None:
        asked = self._clock()
        moved = known is not None and known.holder != self.me
        lease = (
            Lease(self._name, self.me, self._terms.seconds, known.transitions + moved, known.version)
            if known
            else (Lease(self._name, self.me, self._terms.seconds))
        )
        led = self.may_act
        self._sight = Sight(self._kube.put_lease(lease), asked, renewed=asked)
        self._term += not led
