"""Needs, one after the other, to what is there, what drains, what comes, and then to nodes that are asked for."""

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from itertools import count as numbers

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.provisioning.actions import Fate, KeepOn, Start
from mlinfn_condor.provisioning.allowance import Allowance
from mlinfn_condor.provisioning.bins import Load
from mlinfn_condor.provisioning.catalogue import Catalogue
from mlinfn_condor.provisioning.demand import Need
from mlinfn_condor.provisioning.misfit import misfit
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Room, lane_of
from mlinfn_condor.provisioning.yard import Yard

_ORDER = {each: place for place, each in enumerate(PriorityClass)}


class Serving:
    """One turn."""

    def __init__(
        self,
        kinds: Mapping[NodeKind, Room],
        catalogue: Catalogue,
        allowance: Allowance,
        yard: Yard,
        *,
        taken: Iterable[str],
        devices_left: Mapping[str, int],
    ) -> None:
        """`taken`: names in use. `devices_left`: by project, what its jobs may get until it asks for no more."""
        self._kinds, self._catalogue, self._allowance = kinds, catalogue, allowance
        self._here, self._leaving, self._coming = yard.here, yard.leaving, yard.coming
        self._taken = set(taken)
        self._devices_left = dict(devices_left)
        self.actions: list[Start | KeepOn] = []
        self.used: set[str] = set()
        """Nodes that some load was put on."""

    def in_order(self, needs: Iterable[Need]) -> list[Need]:
        """By class; then first what few models suit and what is large, for the rest fits in beside it."""

        def key(need: Need) -> tuple[object, ...]:
            ask = need.ask
            suiting = min((len(self._catalogue.suiting(want)) for want in ask.wants), default=math.inf)
            size = (-ask.device_count, -ask.cpus, -ask.memory_mb)
            return _ORDER[ask.priority_class], suiting, size, need.since, need.project, need.job

        return sorted(needs, key=key)

    def serve(self, need: Need) -> Fate:
        """Find places for all jobs of the need, and ask for nodes where there are none."""
        load = self._catalogue.load(need)
        free = self._here.serve(load, need.count)
        left = need.count - free.total()
        displacing = self._here.serve(load, left, displace=True)
        left -= displacing.total()
        kept = self._leaving.serve(load, left)
        self._keep_on(kept, need)
        left -= kept.total()
        coming = self._coming.serve(load, left)
        left -= coming.total()
        self._spend(load, need.count - left)
        reason = ""
        if left:
            started, reason = self._start(need, load, left)
            coming.update(started)
            left -= started.total()
        self.used.update(free, displacing, coming)
        return Fate(need, free.total(), displacing.total(), _told(kept), _told(coming), left, reason if left else "")

    def start(self, kind: NodeKind, count: int, reason: str, *, warm: bool = False) -> None:
        """Ask for so many of the kind; the caller has looked at the allowance."""
        self._allowance.take(kind, count)
        for name in self._names(kind, count):
            self.actions.append(Start(kind.name, name, reason, warm))
            self._coming.add(name, self._kinds[kind], pledged=kind.pledged)

    def keep_on(self, name: str, reason: str) -> None:
        """Keep a node that drains."""
        if name not in self.used:
            self.used.add(name)
            self.actions.append(KeepOn(name, reason))

    def _keep_on(self, names: Iterable[str], need: Need) -> None:
        for name in sorted(names):
            self.keep_on(name, f"for {need.words}")

    def _start(self, need: Need, load: Load, left: int) -> tuple[Counter[str], str]:
        """Nodes for as many of these as the site allows: who goes where, and why not all do."""
        asking = self._may_ask(load, left)
        reasons = [] if asking == left else [f"{need.project} has as many devices as it may ask nodes for"]
        fitting = self._fitting(load, asking)
        started: Counter[str] = Counter()
        for kind, each in fitting:
            missing = asking - started.total()
            wanted = -(-missing // each)
            allowed, words = self._allowance.more(kind)
            if min(wanted, allowed) > 0:
                self.start(kind, min(wanted, allowed), f"for {need.words}")
                started += self._coming.serve(load, missing)
            if wanted > allowed:
                reasons.append(f"{kind.name}: {words}")
        self._spend(load, started.total())
        if asking and not fitting:
            reasons.append(misfit(need.ask, load, self._kinds))
        return started, "; ".join(reasons)

    def _fitting(self, load: Load, count: int) -> list[tuple[NodeKind, int]]:
        """Kinds that could serve it, best first, and how many loads a node of each takes.

        A project's own kinds, then pledged ones, then opportunistic ones; of equals the smallest. A node with devices
        serves a load without only where the site has no other.
        """
        found = []
        for kind, room in self._kinds.items():
            lane = lane_of(load)
            each = room[lane].take(load, count, displace=False)[0] if lane in room else 0
            if each:
                owner = kind.owner_project
                own, others = bool(owner) and owner == load.project, bool(owner) and owner != load.project
                size = (kind.devices, kind.cpus, kind.memory_mb)
                found.append(((not own, not kind.pledged, others, *size, kind.name), kind, each))
        if not load.wants and any(not kind.devices for _, kind, _ in found):
            found = [one for one in found if not one[1].devices]
        return [(kind, each) for _, kind, each in sorted(found, key=lambda one: one[0])]

    def _may_ask(self, load: Load, left: int) -> int:
        if not load.devices or load.project not in self._devices_left:
            return left
        return min(left, max(0, self._devices_left[load.project]) // load.devices)

    def _spend(self, load: Load, placed: int) -> None:
        if load.project in self._devices_left:
            self._devices_left[load.project] -= placed * load.devices

    def _names(self, kind: NodeKind, count: int) -> Iterator[str]:
        """The smallest free numbers, so that two planners that see the same choose the same names."""
        free = (name for number in numbers(1) if (name := f"{kind.name}-{number}") not in self._taken)
        for name in [next(free) for _ in range(count)]:
            self._taken.add(name)
            yield name


def _told(where: Counter[str]) -> tuple[tuple[str, int], ...]:
    return tuple(sorted(where.items()))
