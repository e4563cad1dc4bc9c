"""A site that a plan is carried out on, simulated: its queue, its nodes, and how long these take to come.

What is simplified: a match, an eviction and the start of a payload take no time, and reports reach the collector at
once; a displaced job goes on where it was. Neither is what a plan decides.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

from mlinfn_condor.bench.made_up import SESSION, MadeUpNode, Work
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.provisioning.actions import KeepOn, Plan, Remove, Retire, Start
from mlinfn_condor.provisioning.demand import needs
from mlinfn_condor.provisioning.nodes import Glidein, Phase
from mlinfn_condor.provisioning.rooms import Portions
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Snapshot

_CLASSES = {each: place for place, each in enumerate(PriorityClass)}


class Site:
    """Queue and nodes. Times are seconds; `latency(name, now)` says how long a node takes from asked for to joined."""

    def __init__(self, settings: Settings, shared: Portions, latency: Callable[[str, float], float]) -> None:
        self._settings, self._shared, self._latency = settings, shared, latency
        self._kinds = {kind.name: kind for kind in settings.node_kinds}
        self.glideins: dict[str, Glidein] = {}
        self.nodes: dict[str, MadeUpNode] = {}
        self.idle: list[Work] = []
        self.idle_since: dict[str, float] = {}
        self.joins: dict[str, float] = {}
        """When each glidein that is starting will have joined."""

    def snapshot(self, now: float) -> Snapshot:
        """One look."""
        return Snapshot(
            tuple(needs(work.job() for work in self.idle)),
            tuple(slot for node in self.nodes.values() for slot in node.slots()),
            tuple(self.glideins.values()),
            now,
            collector_since=-1e9,
            idle_since=dict(self.idle_since),
        )

    def submit(self, work: Work, now: float) -> None:
        """It is idle from now on."""
        work.since = now
        self.idle.append(work)

    def carry_out(self, plan: Plan, now: float) -> None:
        """Do what the plan says."""
        for action in plan.actions:
            match action:
                case Start(kind, name, _, warm):
                    asked = Glidein(name, kind, Phase.ASKED, now, uid=f"uid-{name}", warm=warm)
                    self.glideins.setdefault(name, asked)
                    self.joins.setdefault(name, now + self._latency(name, now))
                case Retire(name) | Remove(name):
                    self._gone(name)
                case KeepOn():
                    pass  # nothing drains here: who leaves is gone at once

    def join(self, now: float) -> list[str]:
        """Glideins whose time has come are nodes."""
        joined = [name for name, when in self.joins.items() if when <= now]
        for name in joined:
            del self.joins[name]
            glidein = self.glideins[name]
            self.glideins[name] = replace(glidein, phase=Phase.RUNNING, running_since=now)
            self.nodes[name] = MadeUpNode(name, self._kinds[glidein.kind], self._shared)
            self.idle_since[name] = now
        return joined

    def match(self, now: float) -> list[tuple[Work, MadeUpNode]]:
        """One negotiation: by class, then by age; sessions go where most devices are idle. Who started where."""
        started = []
        self.idle.sort(key=lambda work: (_CLASSES[work.priority_class], work.since, work.number))
        queue, self.idle = self.idle, []
        hopeless: set[tuple[object, ...]] = set()
        for work in queue:
            alike = (work.priority_class, work.project, work.cpus, work.memory_mb, work.devices, work.model)
            where = None if alike in hopeless else self._start(work, now)
            if where is None:
                hopeless.add(alike)
                self.idle.append(work)
            else:
                work.since = now
                self.idle_since.pop(where.name, None)
                started.append((work, where))
        return started

    def leave_when_idle(self, now: float) -> list[str]:
        """Glideins that nobody was on for their time leave by themselves."""
        limit = self._settings.intervals.idle_seconds
        late = [
            name for name, since in self.idle_since.items() if now - since >= limit and not self.glideins[name].warm
        ]
        for name in late:
            self._gone(name)
        return late

    def end(self, work: Work, node: MadeUpNode, now: float) -> None:
        """The work is done, or left."""
        node.end(work)
        if not node.running:
            self.idle_since[node.name] = now

    def _start(self, work: Work, now: float) -> MadeUpNode | None:
        for displacing in (False, True):
            for node in self._in_order(work):
                if not displacing and work.devices and self._in_use(node) + work.devices > node.kind.devices:
                    continue
                victims = node.start(work)
                if victims is not None:
                    for victim in victims:
                        victim.left -= now - victim.since
                        self.submit(victim, now)
                    return node
        return None

    def _in_order(self, work: Work) -> Iterable[MadeUpNode]:
        if work.priority_class is SESSION:
            return sorted(self.nodes.values(), key=lambda node: self._in_use(node) - node.kind.devices)
        return list(self.nodes.values())

    def _in_use(self, node: MadeUpNode) -> int:
        return sum(len(held) for held in node.running.values())

    def _gone(self, name: str) -> None:
        node = self.nodes.get(name)
        if node is not None and node.running:
            raise RuntimeError(f"{name} was told to leave while somebody was on it")
        for known in (self.glideins, self.nodes, self.idle_since, self.joins):
            known.pop(name, None)
