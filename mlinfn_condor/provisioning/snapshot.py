"""One look at queue, slots and nodes, on which the plan is a pure function; and what its glideins are, by all three."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from mlinfn_condor.pool import Slot
from mlinfn_condor.provisioning.backoff import Failure
from mlinfn_condor.provisioning.demand import Need
from mlinfn_condor.provisioning.nodes import Glidein, Phase, Trouble
from mlinfn_condor.provisioning.rooms import Node
from mlinfn_condor.provisioning.settings import Intervals
from mlinfn_condor.submission.phrases import listed, span


@dataclass(frozen=True)
class Snapshot:
    """Of about the same moment. Take the slots first: a job that starts in between then asks for nothing.

    Times are epoch seconds.
    """

    needs: tuple[Need, ...]
    slots: tuple[Slot, ...]
    """Partitionable ones with whole ads."""
    glideins: tuple[Glidein, ...]
    now: float
    collector_since: float = 0
    """When the collector started."""
    retiring: frozenset[str] = frozenset()
    """Nodes that drain."""
    idle_since: Mapping[str, float] = field(default_factory=dict)
    """Of nodes that nobody is on: since when."""
    working: frozenset[str] = frozenset()
    """Nodes that running jobs name as their host, whatever the collector says."""
    known: frozenset[str] = frozenset()
    """Nodes of the look before."""
    failures: tuple[Failure, ...] = ()
    """Of the past, as far as anybody remembers them."""


class Life(StrEnum):
    """What a glidein is, for the plan."""

    COMING = "coming"
    HERE = "here"
    LEAVING = "leaving"
    GOING = "going"
    """Told to end by its back end, which cannot be taken back."""
    ENDED = "ended"
    FAILED = "failed"


@dataclass(frozen=True)
class Standing:
    """A glidein, and what it is."""

    glidein: Glidein
    life: Life
    failure: Failure | None = None
    """Why it is FAILED."""

    @property
    def alive(self) -> bool:
        """Whether it serves, did, or will."""
        return self.life in (Life.COMING, Life.HERE, Life.LEAVING)

    @property
    def here(self) -> bool:
        """Whether it has joined the pool, and is still in it."""
        return self.life in (Life.HERE, Life.LEAVING)


def in_order(glideins: Iterable[Glidein]) -> list[Glidein]:
    """By kind and number."""
    return sorted(glideins, key=lambda one: (one.kind, len(one.name), one.name))


def present(nodes: Mapping[str, Node], glideins: tuple[Glidein, ...]) -> dict[str, Node]:
    """Nodes without the ghosts: slots that a dead glidein left in the collector, which keeps them for minutes."""
    lives = {one.name: one for one in glideins if one.phase in (Phase.ASKED, Phase.RUNNING)}
    dead = {one.name for one in glideins} - set(lives)
    return {
        name: node
        for name, node in nodes.items()
        if name not in dead and (not node.uid or (name in lives and lives[name].uid in ("", node.uid)))
    }


def standing(glidein: Glidein, snapshot: Snapshot, nodes: Mapping[str, Node], intervals: Intervals) -> Standing:
    """What the glidein is, by its back end, the collector and the queue."""
    if glidein.phase in (Phase.LEAVING, Phase.ENDED):
        return Standing(glidein, Life.GOING if glidein.phase is Phase.LEAVING else Life.ENDED)
    if glidein.phase is Phase.FAILED:
        return _failed(glidein, snapshot.now, glidein.trouble or Trouble.UNKNOWN, glidein.detail)
    if glidein.name in nodes:
        return Standing(glidein, Life.LEAVING if glidein.name in snapshot.retiring else Life.HERE)
    if glidein.phase is Phase.RUNNING:
        # A collector that has just started has not heard of anybody yet, and a running job knows its node better.
        unknown = snapshot.now - max(snapshot.collector_since, glidein.running_since or glidein.since)
        if unknown > intervals.join_seconds and glidein.name not in snapshot.working:
            return _failed(
                glidein, snapshot.now, Trouble.POOL, f"the collector has not heard of it for {span(unknown)}"
            )
    elif snapshot.now - glidein.since > intervals.start_seconds:
        waited = f"it was asked for {span(snapshot.now - glidein.since)} ago, and nothing runs yet"
        return _failed(glidein, snapshot.now, Trouble.QUOTA, glidein.detail or waited)
    return Standing(glidein, Life.COMING)


def _failed(glidein: Glidein, now: float, trouble: Trouble, detail: str) -> Standing:
    return Standing(glidein, Life.FAILED, Failure(glidein.name, glidein.kind, glidein.since, now, trouble, detail))


def distrust(snapshot: Snapshot, nodes: Mapping[str, Node], intervals: Intervals) -> str | None:
    """Why nothing may be concluded from the slots; None when they are to be believed.

    A collector that restarted knows too few nodes until each has reported: at most one report interval, and less when
    all that must be there are.
    """
    left = snapshot.collector_since + intervals.report_seconds - snapshot.now
    running = {one.name for one in snapshot.glideins if one.phase is Phase.RUNNING}
    missing = sorted((running | snapshot.working | snapshot.known) - set(nodes))
    if left <= 0 or not missing:
        return None
    shown = listed([*missing[:3], f"{len(missing) - 3} more"] if len(missing) > 4 else missing)
    started = span(snapshot.now - snapshot.collector_since)
    return f"the collector started {started} ago and has not heard of {shown} yet: waiting for at most {span(left)}"
