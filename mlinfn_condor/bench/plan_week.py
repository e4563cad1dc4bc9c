"""Case `week` of the bench `plan`: seven days of a mixed load, by our plan and by the PRP/NRP provisioner's rule.

Both have the same trace, the same machines, and nodes that take one to three minutes to come; both negotiate every two
seconds. Ours is the real planner on ads made up for each turn. `site.py` and `prp.py` say what is simplified.
"""

import heapq
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from statistics import median
from typing import Any, Protocol

from mlinfn_condor.bench.arrivals import DAY, week
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.made_up import SESSION, MadeUpNode, Work, portions
from mlinfn_condor.bench.prp import IDLE_SECONDS, LOOP_SECONDS, Pod, PrpSite
from mlinfn_condor.bench.site import Site
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.settings import Settings

NAME = "week"
DAYS, QUICK_DAYS = 7, 1
Latency = Callable[[str, float], float]
CYCLE_SECONDS = 2.0
"""MLINFN_NEGOTIATION_SECONDS."""
_CLOCK_SECONDS = 60.0
"""Between two plans when nothing happened: what depends on the clock alone, such as idle opportunistic nodes."""
PEER = "rule of the PRP/NRP provisioner: 1 + idle/4 pods, exact shapes, 120 s, 1200 s"
SETTINGS = Settings.model_validate(
    {
        "kinds": {
            "t4": {"cpus": 8, "memory_mb": 40_960, "device_kind": "gpu", "model": "T4", "devices": 1, "most": 16},
            "a100": {"cpus": 8, "memory_mb": 40_960, "device_kind": "gpu", "model": "A100", "devices": 1, "most": 6},
            "a100-guest": {
                "cpus": 8,
                "memory_mb": 40_960,
                "device_kind": "gpu",
                "model": "A100",
                "devices": 1,
                "most": 4,
                "pledged": False,
            },
            "cpu": {"cpus": 32, "memory_mb": 131_072, "most": 10},
        }
    }
)


class Player(Protocol):
    """A site under one rule, as the week needs it. Where a job runs is for the player to understand."""

    def submit(self, work: Work, now: float) -> None:
        """It is idle from now on."""

    def turn(self, now: float) -> float:
        """Join, leave and ask for nodes, whatever is due; when something will be due though nothing happens."""

    def match(self, now: float) -> list[tuple[Work, Any]]:
        """One negotiation: who started where."""

    def end(self, work: Work, where: Any, now: float) -> bool:
        """Its time is over; False: it is not there any more, it was displaced."""

    def pods(self) -> Iterator[tuple[bool, int, bool]]:
        """Of each running pod: whether nobody is on it, its devices that nobody has, and whether a waiting job fits."""


@dataclass
class Tally:
    """What a week came to."""

    pod_seconds: float = 0
    idle_seconds: float = 0
    idle_with_demand_seconds: float = 0
    idle_device_seconds: float = 0
    done: int = 0
    session_waits: list[float] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    def add(self, player: Player, seconds: float) -> None:
        """What stood so for so long."""
        for idle, unused_devices, wanted in player.pods() if seconds > 0 else ():
            self.pod_seconds += seconds
            self.idle_seconds += seconds * idle
            self.idle_with_demand_seconds += seconds * wanted
            self.idle_device_seconds += seconds * unused_devices

    def figures(self) -> dict[str, float]:
        """As the bench tells them."""
        waits = sorted(self.session_waits)
        return {
            "idle_with_demand_percent": round(100 * self.idle_with_demand_seconds / self.pod_seconds, 3),
            "idle_pod_hours": round(self.idle_seconds / 3600, 1),
            "idle_device_hours": round(self.idle_device_seconds / 3600, 1),
            "pod_hours": round(self.pod_seconds / 3600, 1),
            "jobs_done": self.done,
            "session_wait_p95_s": round(waits[math.ceil(0.95 * len(waits)) - 1]),
            "wait_median_s": round(median(self.waits)),
        }


def play(player: Player, works: list[Work], until: float) -> Tally:
    """Let the site live through the trace. Between two moments nothing changes, so that the sums are exact.

    What a moment brings waits for the negotiation, one cycle later: an idle pod and a job that fits it meet only then.
    """
    tally, arrivals, now = Tally(), [replace(work) for work in reversed(works)], 0.0
    ends: list[tuple[float, int, float, Work, Any]] = []
    begun: set[int] = set()
    while now < until:
        while arrivals and arrivals[-1].arrives <= now:
            player.submit(arrivals.pop(), now)
        while ends and ends[0][0] <= now:
            _, _, since, work, where = heapq.heappop(ends)
            tally.done += work.since == since and player.end(work, where, now)
        due = player.turn(now)
        tally.add(player, CYCLE_SECONDS)
        now += CYCLE_SECONDS
        for work, where in player.match(now):
            heapq.heappush(ends, (now + work.left, work.number, now, work, where))
            if work.number not in begun:
                begun.add(work.number)
                tally.waits.append(now - work.arrives)
                tally.session_waits += [now - work.arrives] if work.priority_class is SESSION else []
        upcoming = min(due, until, *(one[0] for one in ends[:1]), *(work.arrives for work in arrivals[-1:]))
        upcoming = max(now, math.ceil(upcoming / CYCLE_SECONDS) * CYCLE_SECONDS)
        tally.add(player, upcoming - now)
        now = upcoming
    return tally


class Ours:
    """The planner, on a simulated site."""

    def __init__(self, latency: Latency) -> None:
        self._site = Site(SETTINGS, portions(), latency)
        self._changed, self._looked = True, 0.0

    def submit(self, work: Work, now: float) -> None:
        """See Player."""
        self._site.submit(work, now)
        self._changed = True

    def turn(self, now: float) -> float:
        """See Player. A plan of a site on which nothing happened is the same, but for what the clock alone decides."""
        joined, left = self._site.join(now), self._site.leave_when_idle(now)
        self._changed |= bool(joined or left)
        if now - self._looked >= (SETTINGS.intervals.loop_seconds if self._changed else _CLOCK_SECONDS):
            decided = plan(self._site.snapshot(now), SETTINGS, portions())
            self._site.carry_out(decided, now)
            self._changed, self._looked = bool(decided.actions), now
        look = self._looked + (SETTINGS.intervals.loop_seconds if self._changed else _CLOCK_SECONDS)
        leave = min(self._site.idle_since.values(), default=math.inf) + SETTINGS.intervals.idle_seconds
        return min(look, leave, *self._site.joins.values())

    def match(self, now: float) -> list[tuple[Work, MadeUpNode]]:
        """See Player."""
        started = self._site.match(now)
        self._changed |= bool(started)
        return started

    def end(self, work: Work, where: MadeUpNode, now: float) -> bool:
        """See Player."""
        there = work in where.running
        if there:
            self._site.end(work, where, now)
            self._changed = True
        return there

    def pods(self) -> Iterator[tuple[bool, int, bool]]:
        """See Player."""
        for node in self._site.nodes.values():
            idle = not node.running
            unused = node.kind.devices - sum(map(len, node.running.values()))
            yield idle, unused, idle and any(node.could(work) for work in self._site.idle)


class Prp:
    """The rule beside it, on the same machines."""

    def __init__(self, latency: Latency, idle_seconds: float = IDLE_SECONDS) -> None:
        devices: Counter[str] = Counter()
        for kind in SETTINGS.node_kinds:
            devices[kind.model] += kind.most * kind.devices
        cores = sum(kind.most * kind.cpus for kind in SETTINGS.node_kinds if not kind.devices)
        self._site = PrpSite({model: count for model, count in devices.items() if model}, cores, latency, idle_seconds)
        self._idle_seconds, self._next = idle_seconds, 0.0

    def submit(self, work: Work, now: float) -> None:
        """See Player."""
        self._site.submit(work, now)

    def turn(self, now: float) -> float:
        """See Player."""
        self._site.join(now)
        self._site.leave(now)
        if now >= self._next:
            self._site.loop(now)
            self._next = now + LOOP_SECONDS
        joins = (pod.joins for pod in self._site.pods if not pod.running and pod.joins is not None)
        leave = (pod.idle_since + self._idle_seconds for pod in self._site.pods if pod.running and pod.work is None)
        return min((self._next, *joins, *leave))

    def match(self, now: float) -> list[tuple[Work, Pod]]:
        """See Player."""
        return self._site.match(now)

    def end(self, work: Work, where: Pod, now: float) -> bool:
        """See Player."""
        self._site.end(work, where, now)
        return True

    def pods(self) -> Iterator[tuple[bool, int, bool]]:
        """See Player."""
        for pod in self._site.pods:
            if pod.running:
                idle = pod.work is None
                yield idle, pod.shape[2] if idle else 0, idle and any(pod.could(work) for work in self._site.idle)


def measure(report: Report, *, quick: bool) -> Case:
    """Both, one after the other, on the same trace."""
    days = QUICK_DAYS if quick else DAYS
    works = week(days)
    told = []
    ours_tail = SETTINGS.intervals.idle_seconds
    players: dict[str, Player] = {
        "ours": Ours(latency),
        "the PRP rule": Prp(latency),
        "the PRP rule with our idle time": Prp(latency, ours_tail),
    }
    for name, player in players.items():
        with report.step(f"{NAME}: {len(works):,} jobs in {days} days, {name}"):
            told.append(play(player, works, days * DAY).figures())
    ours, peer, same_tail = told
    peer["idle_pod_hours_with_our_idle_time"] = same_tail["idle_pod_hours"]
    jobs = {"jobs": len(works)}
    target: Target = {
        "idle_with_demand_percent": ("<=", 1),
        "idle_pod_hours": ("<=", round(peer["idle_pod_hours"] / 3, 1)),
    }
    return Case(NAME, Measured(ours | jobs), target, Beside(PEER, Measured(peer)))


def latency(name: str, now: float) -> float:
    """Seconds from asked for to joined: one to three minutes, by chance, the same in each run."""
    return random.Random(f"{name} {now}").uniform(60, 180)  # noqa: S311 - nothing to keep secret
