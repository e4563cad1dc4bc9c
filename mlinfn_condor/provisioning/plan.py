"""Which nodes to ask for, to keep, to retire and to clear away: a pure function of one look and the site's settings.

Invariants, held by tests/unit/test_provisioning_invariants.py over made-up sites:
- what exists and what is asked for is never above a cap of the site; what exists counts, whatever its phase;
- a need is served once: whatever room is there, drains or comes, of whatever shape, is used up first;
- a glidein that anybody is on is never chosen to leave, nor one that this very plan counts on;
- nothing is concluded from a collector that has not heard of its nodes yet: then only what its back end calls ended or
  failed is cleared away;
- it settles: while demand stays as it is, what the plan brought about makes the next ones empty;
- two planners that see the same plan the same, names included.

Order: what is there → what drains is kept on → what comes → a new node: the project's own kind, a pledged one, an
opportunistic one. What a session or an owner displaces is used at once, and asks for itself when it is idle again.
"""

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping

from mlinfn_condor.provisioning.actions import Plan, Remove
from mlinfn_condor.provisioning.allowance import Allowance
from mlinfn_condor.provisioning.backoff import WORDS, Failure, Setback, setback
from mlinfn_condor.provisioning.catalogue import Catalogue
from mlinfn_condor.provisioning.leaving import released, withdrawn
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Node, Portions, Room, read
from mlinfn_condor.provisioning.serving import Serving
from mlinfn_condor.provisioning.settings import Settings
from mlinfn_condor.provisioning.snapshot import Life, Snapshot, Standing, distrust, in_order, present, standing
from mlinfn_condor.provisioning.warm import keep_warm
from mlinfn_condor.provisioning.yard import yard


def plan(snapshot: Snapshot, settings: Settings, portions: Portions) -> Plan:
    """What to do now."""
    kinds = settings.node_kinds
    reported = read(snapshot.slots)
    nodes = present(reported, snapshot.glideins)
    glideins = [standing(one, snapshot, nodes, settings.intervals) for one in in_order(snapshot.glideins)]
    failures = _new_failures(snapshot, glideins)
    allowance = Allowance(
        kinds,
        settings.limits,
        snapshot.glideins,
        _setbacks(kinds, (*snapshot.failures, *failures), glideins),
        Counter(one.glidein.kind for one in glideins if one.life is Life.COMING),
        snapshot.now,
    )
    clearing = [_cleared(one) for one in glideins if one.life in (Life.ENDED, Life.FAILED)]
    if doubt := distrust(snapshot, nodes, settings.intervals):
        return Plan(tuple(clearing), distrust=doubt, failures=failures, growing=_growing(kinds, allowance))
    rooms = {kind: _room(kind, glideins, nodes, portions) for kind in kinds}
    serving = Serving(
        rooms,
        Catalogue((device for node in nodes.values() for device in node.devices), kinds),
        allowance,
        yard(nodes, glideins, rooms, snapshot.retiring),
        taken={*reported, *(one.name for one in snapshot.glideins)},
        devices_left=_devices_left(snapshot, settings),
    )
    warm = keep_warm(kinds, glideins, allowance, serving)
    fates = tuple(serving.serve(need) for need in serving.in_order(snapshot.needs))
    counted_on = serving.used | warm
    spare = [one for one in glideins if one.glidein.name not in counted_on]
    going = (*withdrawn(spare, snapshot, settings), *released(spare, snapshot, settings, nodes))
    addable = tuple((kind, room) for kind, room in rooms.items() if allowance.ever(kind)[0] or _coming(kind, glideins))
    actions = (*clearing, *serving.actions, *going)
    return Plan(actions, fates, "", failures, _growing(kinds, allowance), addable)


def _coming(kind: NodeKind, glideins: Iterable[Standing]) -> bool:
    """Whether one of the kind starts: it is no room yet, and somebody may wait for it all the same."""
    return any(one.glidein.kind == kind.name and one.life is Life.COMING for one in glideins)


def _room(kind: NodeKind, glideins: Iterable[Standing], nodes: Mapping[str, Node], portions: Portions) -> Room:
    """What a new node of the kind will have: what those have that are here, else what the policy makes of its size.

    A node that turned out smaller than the settings say would else be asked for again and again.
    """
    wholes = [nodes[one.glidein.name].whole for one in glideins if one.glidein.kind == kind.name and one.here]
    return max(wholes, key=lambda room: sum(part.size for part in room.values()), default=portions.room(kind))


def _new_failures(snapshot: Snapshot, glideins: Iterable[Standing]) -> tuple[Failure, ...]:
    remembered = {(one.name, one.asked) for one in snapshot.failures}
    found = (one.failure for one in glideins if one.failure)
    return tuple(one for one in found if (one.name, one.asked) not in remembered)


def _setbacks(
    kinds: Iterable[NodeKind], failures: Iterable[Failure], glideins: Iterable[Standing]
) -> dict[str, Setback]:
    """Kinds that failed and were not forgiven since."""
    by_kind: dict[str, list[Failure]] = defaultdict(list)
    for failure in failures:
        by_kind[failure.kind].append(failure)
    joined = {one.glidein.kind: one.glidein.since for one in sorted(glideins, key=_asked) if one.here}
    found = {kind.name: setback(by_kind[kind.name], joined.get(kind.name, -math.inf)) for kind in kinds}
    return {name: one for name, one in found.items() if one}


def _asked(one: Standing) -> float:
    return one.glidein.since


def _cleared(one: Standing) -> Remove:
    if one.failure is None:
        return Remove(one.glidein.name, "it has left, and is cleared away")
    detail = f": {one.failure.detail}" if one.failure.detail else ""
    return Remove(one.glidein.name, f"{WORDS[one.failure.trouble]}{detail}")


def _devices_left(snapshot: Snapshot, settings: Settings) -> dict[str, int]:
    """By project that is limited: devices that its jobs may get until it asks for no more nodes."""
    held: Counter[str] = Counter()
    for slot in snapshot.slots if settings.limits.projects else ():
        if slot.claimed:
            held[slot.project] += len(slot.assigned)
    return {project: most - held[project] for project, most in settings.limits.projects.items()}


def _growing(kinds: Iterable[NodeKind], allowance: Allowance) -> tuple[str, ...]:
    return tuple(sorted({kind.offer for kind in kinds if allowance.ever(kind)[0]}))
