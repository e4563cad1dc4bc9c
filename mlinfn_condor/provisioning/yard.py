"""All rooms of one look, by what their nodes are: those that are here, that drain, and that come."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from mlinfn_condor.provisioning.bins import Load
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Node, Room
from mlinfn_condor.provisioning.snapshot import Life, Standing
from mlinfn_condor.provisioning.stock import Stock


class Stocks:
    """Pledged nodes, and opportunistic ones, which are used after them so that they get free first."""

    def __init__(self, rooms: Iterable[tuple[str, Room]], opportunistic: Collection[str]) -> None:
        apart: tuple[list[tuple[str, Room]], ...] = ([], [])
        for name, room in rooms:
            apart[name in opportunistic].append((name, room))
        self._pledged, self._opportunistic = (Stock(each) for each in apart)

    def add(self, name: str, room: Room, *, pledged: bool) -> None:
        """One more node."""
        (self._pledged if pledged else self._opportunistic).add(name, room)

    def serve(self, load: Load, count: int, *, displace: bool = False) -> Counter[str]:
        """Put in up to `count` loads: how many went to which node."""
        served = self._pledged.serve(load, count, displace=displace)
        return served + self._opportunistic.serve(load, count - served.total(), displace=displace)


@dataclass(frozen=True)
class Yard:
    """Where loads may go."""

    here: Stocks
    leaving: Stocks
    coming: Stocks


def yard(
    nodes: Mapping[str, Node],
    glideins: Iterable[Standing],
    kinds: Mapping[NodeKind, Room],
    retiring: Collection[str],
) -> Yard:
    """Nodes that are no glideins are pledged, and nobody keeps them on when they drain."""
    rooms = {kind.name: room for kind, room in kinds.items()}
    by_life: dict[Life, dict[str, Room]] = {life: {} for life in Life}
    by_life[Life.HERE] = {name: node.left for name, node in nodes.items() if name not in retiring}
    for one in glideins:
        name = one.glidein.name
        if one.life is Life.LEAVING:
            by_life[Life.LEAVING][name] = nodes[name].left
        elif one.life is Life.COMING and one.glidein.kind in rooms:
            by_life[Life.COMING][name] = rooms[one.glidein.kind]
    pledged = {kind.name for kind in kinds if kind.pledged}
    opportunistic = {one.glidein.name for one in glideins if one.glidein.kind not in pledged}
    return Yard(*(Stocks(by_life[life].items(), opportunistic) for life in (Life.HERE, Life.LEAVING, Life.COMING)))
