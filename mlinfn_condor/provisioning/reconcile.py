"""The loop: look, plan, do. All that it needs to know is in the pool and in the back end: it can be killed at will."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from threading import Event

from mlinfn_condor.errors import MlinfnError, NodeBusy, NodeNotFound
from mlinfn_condor.pool import Pool
from mlinfn_condor.pool.execution_points import ExecutionPoints
from mlinfn_condor.provisioning.actions import Action, KeepOn, Plan, Remove, Retire, Start
from mlinfn_condor.provisioning.backends import Backend, NodeRefused
from mlinfn_condor.provisioning.backoff import Failure
from mlinfn_condor.provisioning.growth import Growth, nodes_to_come
from mlinfn_condor.provisioning.journal import Happening, Journal
from mlinfn_condor.provisioning.leading import Leader
from mlinfn_condor.provisioning.look import Memory, look
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.prospects import ProspectsFile
from mlinfn_condor.provisioning.rooms import Portions
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Snapshot

SHARE = 0.25
"""Of its time that looking and planning may take: a long queue is looked at less often."""
LONGEST_PAUSE_SECONDS = 30


@dataclass
class Provisioner:
    """One provisioner of one pool."""

    pool: Pool
    nodes: ExecutionPoints
    backend: Backend
    settings: Settings
    portions: Portions
    journal: Journal
    growth: Growth | None = None
    prospects: ProspectsFile | None = None
    memory: Memory = field(default_factory=Memory)
    say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True)  # noqa: T201

    def look(self) -> Snapshot:
        """What there is now."""
        return look(self.pool, self.nodes, self.backend, self.memory)

    def decide(self, snapshot: Snapshot) -> Plan:
        """What it would do, and why."""
        return plan(snapshot, self.settings, self.portions)

    def turn(self) -> Plan:
        """Look, plan and do. Raises MlinfnError when it cannot look; an action that fails is tried again next time."""
        snapshot = self.look()
        decided = self.decide(snapshot)
        self._tell_of_nodes(snapshot)
        refused = [failure for action in decided.actions if (failure := self._do(action))]
        # What one turn asked for was asked for at once: refused together, it is one round of the kind's back-off.
        failed = [replace(failure, asked=snapshot.now) for failure in refused]
        if self.growth is not None and not decided.distrust:
            self.growth.tell(decided.growing, nodes_to_come(decided))
        self._tell_of_prospects(decided, snapshot)
        self.memory = self.memory.after(snapshot, (*decided.failures, *failed))
        return decided

    def _tell_of_prospects(self, decided: Plan, snapshot: Snapshot) -> None:
        try:
            if self.prospects is not None:
                self.prospects.tell(decided, snapshot)
        except OSError as error:
            self.say(f"provisioner: cannot tell hubs of nodes to come: {error}")

    def _do(self, action: Action) -> Failure | None:
        try:
            match action:
                case Start(kind, name, reason, warm):
                    self.backend.start(name, self._kind(kind), warm=warm)
                    self._note("asked", name, reason)
                case Retire(name, reason):
                    self.nodes.drain(name, reason)
                    self._note("retired", name, reason)
                case KeepOn(name, reason):
                    self.nodes.keep_on(name)
                    self._note("kept on", name, reason)
                case Remove(name, reason):
                    self.backend.remove([name])
                    self._note("removed", name, reason)
        except NodeRefused as error:
            now = time.time()
            kind = action.kind if isinstance(action, Start) else ""
            self._note("refused", action.name, str(error))
            return Failure(action.name, kind, now, now, error.trouble, str(error))
        except (NodeBusy, NodeNotFound):
            pass  # somebody came, or it left by itself: the next look shows it
        except MlinfnError as error:
            self.say(f"provisioner: {type(action).__name__.lower()} {action.name}: {error}")
        return None

    def _kind(self, name: str) -> NodeKind:
        return next(kind for kind in self.settings.node_kinds if kind.name == name)

    def _tell_of_nodes(self, snapshot: Snapshot) -> None:
        """Which glideins came into the pool since the look before, and which are there no more."""
        names = {one.name for one in snapshot.glideins}
        if self.memory.looked:  # at the first look all are new, and none is news
            for name in sorted(names & {slot.node for slot in snapshot.slots} - self.memory.known):
                self._note("joined", name, "its slots are in the collector")
        for name in sorted(self.memory.glideins - names):
            self._note("gone", name, "its back end has it no more")

    def _note(self, kind: str, name: str, detail: str) -> None:
        self.say(f"provisioner: {kind} {name}: {detail}")
        try:
            self.journal.note(Happening(time.time(), kind, name, detail))
        except OSError as error:
            self.say(f"provisioner: cannot write its journal: {error}")


def run(provisioner: Provisioner, leader: Leader, stop: Event) -> None:
    """Turn after turn until `stop`; what is away is said once, and nothing is concluded from it."""
    trouble = ""
    pause = 0.0
    while not stop.wait(pause):
        began = time.monotonic()
        try:
            if leader.leads():
                provisioner.turn()
            told = ""
        except MlinfnError as error:
            told = f"provisioner: cannot look, trying again: {error}"
        if told != trouble:
            provisioner.say(told or "provisioner: can look again")
        trouble = told
        took = time.monotonic() - began
        loop = provisioner.settings.intervals.loop_seconds
        pause = max(loop - took, min(took * (1 / SHARE - 1), LONGEST_PAUSE_SECONDS), 0.1)
    if provisioner.prospects is not None and leader.leads():
        provisioner.prospects.withdraw()
    leader.resign()
