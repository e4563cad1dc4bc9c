"""What an administrator does with nodes: drain one, keep one on. The real gate, and its twin for tests."""

import os
from collections.abc import Mapping
from typing import Any, Protocol

from mlinfn_condor.errors import NodeBusy, NodeNotFound, PoolUnavailable
from mlinfn_condor.pool import bindings, commands
from mlinfn_condor.pool.bindings import answering, htcondor2
from mlinfn_condor.pool.commands import CommandFailed

NOBODY_ON_IT = 'State =!= "Claimed" && State =!= "Preempting"'
"""True of every slot of a node that runs nothing."""
CHECK_IS_FALSE = "error code 10003"
"""DRAINING_CHECK_FAILED in HTCondor's source: the only reason that the startd gives by number."""


class ExecutionPoints(Protocol):
    """Nodes of a pool, for who may command them. Every method raises PoolUnavailable when a daemon does not answer."""

    def collector_since(self) -> float:
        """Epoch seconds at which the collector started: what it has not heard since then it does not know."""
        ...

    def drain(self, node: str, reason: str, *, though_busy: bool = False) -> None:
        """Have a node take nothing new, and leave the pool when it is empty; one that drains already goes on so.

        Raises NodeNotFound, and NodeBusy when something runs there: its own startd decides, so that nobody who came in
        the meantime is told to go. With `though_busy` jobs get their window and go back into the queue.
        """
        ...

    def keep_on(self, node: str) -> None:
        """Have a node that drains stay; for one that does not drain it is nothing. Raises NodeNotFound."""
        ...

    def reconfigure_negotiator(self) -> None:
        """Have the negotiator read its configuration again."""
        ...


class RealExecutionPoints:
    """Those of the pool that `environment` leads to; it has to name an administrator, and HTCondor's commands in PATH.

    Nodes are drained by condor_drain: it uses the session that the collector gives administrators for a node, which the
    bindings cannot (25.14.1), and a glidein has no key by which it could know an administrator otherwise.
    """

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        bindings.connect(environment or {})
        self._environment = {**os.environ, **(environment or {})}

    def collector_since(self) -> float:
        """See ExecutionPoints."""
        bound = htcondor2()
        with answering("the collector"):
            found = bound.Collector().query(bound.AdType.Collector, "true", ["StatsLastUpdateTime", "StatsLifetime"])
        if not found:
            raise PoolUnavailable("the collector does not tell how long it has been up")
        return float(found[0]["StatsLastUpdateTime"] - found[0]["StatsLifetime"])

    def drain(self, node: str, reason: str, *, though_busy: bool = False) -> None:
        """See ExecutionPoints."""
        slot = self._slot(node)
        if slot.get("Draining"):
            return
        check = [] if though_busy else ["-check", NOBODY_ON_IT]
        self._drain("-graceful", "-exit-on-completion", *check, "-reason", reason, slot["Name"])

    def keep_on(self, node: str) -> None:
        """See ExecutionPoints."""
        slot = self._slot(node)
        if slot.get("Draining"):
            self._drain("-cancel", slot["Name"])

    def reconfigure_negotiator(self) -> None:
        """See ExecutionPoints."""
        bound = htcondor2()
        with answering("the negotiator"):
            location = bound.Collector().locate(bound.DaemonType.Negotiator)
            if location is None:
                raise PoolUnavailable("the pool has no negotiator at the moment")
            location["MyType"] = "Negotiator"  # send_command wants it, locate leaves it out (25.14.1)
            bound.send_command(location, bound.DaemonCommand.Reconfig)

    def _drain(self, *words: str) -> None:
        try:
            commands.run(self._environment, "condor_drain", *words)
        except CommandFailed as error:
            if CHECK_IS_FALSE in str(error):
                raise NodeBusy(f"{words[-1]} was not drained: something runs there") from error
            raise PoolUnavailable(f"{words[-1]} did not answer: {error}") from error

    def _slot(self, node: str) -> Any:
        found = self._find(f"PartitionableSlot && ({_of(node)})")
        if not found:
            raise NodeNotFound(f"the pool has no node {node} at the moment: `condor_status` lists those it has")
        return found[0]

    def _find(self, constraint: str) -> list[Any]:
        bound = htcondor2()
        with answering("the collector"):
            found: list[Any] = bound.Collector().query(bound.AdType.Slot, constraint)
        return found


def _of(node: str) -> str:
    """Constraint on the slots of a node: `slot1_2@node@machine`."""
    return f'split(Name, "@")[1] == "{node}"'


class TwinExecutionPoints:
    """Nodes in memory, which do what a test says."""

    def __init__(self, busy: Mapping[str, bool], since: float = 0.0) -> None:
        """`busy`: each node, and whether something runs there."""
        self.busy = dict(busy)
        self.since = since
        self.draining: dict[str, str] = {}
        """Nodes that drain, and why."""
        self.negotiator_reconfigured = 0

    def collector_since(self) -> float:
        """See ExecutionPoints."""
        return self.since

    def drain(self, node: str, reason: str, *, though_busy: bool = False) -> None:
        """See ExecutionPoints."""
        self._known(node)
        if node in self.draining:
            return
        if self.busy[node] and not though_busy:
            raise NodeBusy(f"node {node} was not drained: something runs there")
        self.draining[node] = reason

    def keep_on(self, node: str) -> None:
        """See ExecutionPoints."""
        self._known(node)
        self.draining.pop(node, None)

    def reconfigure_negotiator(self) -> None:
        """See ExecutionPoints."""
        self.negotiator_reconfigured += 1

    def _known(self, node: str) -> None:
        if node not in self.busy:
            raise NodeNotFound(f"the pool has no node {node} at the moment: `condor_status` lists those it has")
