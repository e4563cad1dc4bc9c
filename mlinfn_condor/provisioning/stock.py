"""The rooms of many nodes, equal bins as one entry: the cost grows with the sorts of bins."""

from collections import Counter, defaultdict
from collections.abc import Iterable

from mlinfn_condor.provisioning.bins import Bin, Load
from mlinfn_condor.provisioning.rooms import Lane, Room, lane_of


class Stock:
    """Rooms that loads are put into. The same loads in the same order find the same places."""

    def __init__(self, rooms: Iterable[tuple[str, Room]] = ()) -> None:
        self._lanes: dict[Lane, dict[Bin, list[str]]] = {lane: {} for lane in Lane}
        sorted_bins: dict[Lane, dict[Bin, list[str]]] = defaultdict(lambda: defaultdict(list))
        for name, room in rooms:
            for lane, one in room.items():
                sorted_bins[lane][one].append(name)
        for lane, bins in sorted_bins.items():
            # Searched from the end: what is fullest first, so that nodes which nobody is on stay so, and may leave.
            for one in sorted(bins, key=lambda one: -one.size):
                self._put(lane, one, bins[one])

    def add(self, name: str, room: Room) -> None:
        """One more node."""
        for lane, one in room.items():
            self._put(lane, one, [name])

    def serve(self, load: Load, count: int, *, displace: bool = False) -> Counter[str]:
        """Put in up to `count` loads: how many went to which node."""
        lane = lane_of(load)
        bins = self._lanes[lane]
        served: Counter[str] = Counter()
        for one in reversed(list(bins)):
            names = bins[one]
            while names and count:
                each, rest = one.take(load, count, displace=displace)
                if not each:
                    break
                filled = [names.pop() for _ in range(min(len(names), count // each))]
                count -= each * len(filled)
                for name in filled:
                    served[name] += each
                self._put(lane, rest, filled)
            if not names:
                del bins[one]
            if not count:
                break
        return served

    def _put(self, lane: Lane, one: Bin, names: list[str]) -> None:
        if not one.empty:
            self._lanes[lane].setdefault(one, []).extend(names)
