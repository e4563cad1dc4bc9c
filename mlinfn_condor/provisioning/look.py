"""Looking at queue, slots and glideins: where the planner's snapshot comes from."""

import time
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Self

from mlinfn_condor.pool import Job, JobState, Pool, Slot
from mlinfn_condor.pool.execution_points import ExecutionPoints
from mlinfn_condor.provisioning import demand
from mlinfn_condor.provisioning.backends import Backend
from mlinfn_condor.provisioning.backoff import Failure
from mlinfn_condor.provisioning.snapshot import Snapshot

WAITING_OR_RUNNING = "JobStatus == 1 || JobStatus == 2"
OF_GLIDEINS = ("MlinfnGlideinUid", "Draining")
"""What is asked of slots beside what a Slot is made of."""
KEPT_FAILURES = 500


@dataclass(frozen=True)
class Memory:
    """What a provisioner knows from its earlier looks. One that was killed begins without, and is only less patient."""

    looked: bool = False
    """Whether there was one."""
    known: frozenset[str] = frozenset()
    """Nodes of the pool."""
    glideins: frozenset[str] = frozenset()
    """Those that the back end had."""
    idle_since: dict[str, float] = field(default_factory=dict)
    failures: tuple[Failure, ...] = ()

    def after(self, snapshot: Snapshot, failures: Iterable[Failure]) -> Self:
        """The same, with what this look has brought."""
        return replace(
            self,
            looked=True,
            known=frozenset(slot.node for slot in snapshot.slots),
            glideins=frozenset(one.name for one in snapshot.glideins),
            idle_since=dict(snapshot.idle_since),
            failures=(*self.failures, *failures)[-KEPT_FAILURES:],
        )


def look(pool: Pool, nodes: ExecutionPoints, backend: Backend, memory: Memory) -> Snapshot:
    """One look. Raises PoolUnavailable or BackendUnavailable: without any of the three nothing can be concluded.

    Slots come before jobs: what starts in between then counts as served and asks for nothing. Glideins come before
    slots, so that one that joins in between is not taken for a node that nobody asked for.
    """
    glideins = tuple(backend.glideins())
    slots = (*pool.slots("PartitionableSlot is true"), *pool.slots("PartitionableSlot isnt true", OF_GLIDEINS))
    collector_since = nodes.collector_since()
    jobs = pool.jobs(WAITING_OR_RUNNING, demand.ATTRIBUTES)
    now = time.time()
    served = {slot.job for slot in slots if slot.claimed and slot.job}
    return Snapshot(
        needs=tuple(demand.needs(jobs, served)),
        slots=slots,
        glideins=glideins,
        now=now,
        collector_since=collector_since,
        retiring=frozenset(slot.node for slot in slots if slot.ad.get("Draining") is True),
        idle_since=_idle_since(slots, memory, now),
        working=frozenset(filter(None, map(_host, jobs))),
        known=memory.known,
        failures=memory.failures,
    )


def _idle_since(slots: Iterable[Slot], memory: Memory, now: float) -> dict[str, float]:
    busy = {slot.node for slot in slots if slot.claimed}
    return {slot.node: memory.idle_since.get(slot.node, now) for slot in slots if slot.node not in busy}


def _host(job: Job) -> str:
    """The node that it runs on, as its access point tells: `server1` of `slot1_2@server1@machine`."""
    if job.state is not JobState.RUNNING or job.elsewhere:  # our collector never hears of that node
        return ""
    return str(job.ad.get("RemoteHost") or "").partition("@")[2].partition("@")[0]
