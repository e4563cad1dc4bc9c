"""The rule of the PRP/NRP provisioner, written anew from what its source does, for the bench to stand beside ours.

Source: github.com/sfiligoi/prp-htcondor-portal, provisioner/python/prp_provisioner/event_loop.py and
provisioner_clustering.py, wn/image/condor.d/01-provisioning-policy.conf. Every 120 s, for each group of idle jobs that
ask for exactly the same: it wants 1 + idle/4 unclaimed pods (above 20 only a quarter of what is beyond, at most 20, its
default), and submits what is missing to those that wait or run unclaimed. A pod takes jobs of its own shape only, and
leaves when it was unclaimed for 1200 s; nobody is displaced, and a pod that nobody needs any longer is not withdrawn.

What is simplified: its START lets a job into a pod that is up to 1.5 GB larger, here shapes are equal; disk, volumes
and labels do not occur; Kubernetes gives machines in the order of asking, to whatever pod still fits.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from mlinfn_condor.bench.made_up import Work
from mlinfn_condor.classes import PriorityClass

LOOP_SECONDS, IDLE_SECONDS = 120.0, 1200.0
MAX_PODS = 20
"""`max_pods_per_cluster`."""
Shape = tuple[int, int, int, str]
"""Cores, memory, devices, model."""
_CLASSES = {each: place for place, each in enumerate(PriorityClass)}


def wanted(idle_jobs: int) -> int:
    """Unclaimed pods that the rule wants for so many idle jobs (at least one) of a shape."""
    pods = 1 + idle_jobs // 4
    if pods > 20:
        pods = 20 + (pods - 20) // 4
    return min(pods, MAX_PODS)


@dataclass(eq=False)
class Pod:
    """One pod: it waits for a machine until `joins` is set, and runs from then on."""

    name: str
    shape: Shape
    model: str = ""
    """Of the devices that it got."""
    joins: float | None = None
    running: bool = False
    work: Work | None = None
    idle_since: float = 0

    def could(self, work: Work) -> bool:
        """Whether the pod is large enough for it, its shape being what it is."""
        cpus, memory_mb, devices, _ = self.shape
        fits = work.cpus <= cpus and work.memory_mb <= memory_mb and work.devices <= devices
        return fits and bool(work.devices) == bool(devices) and work.model in ("", self.model)


class PrpSite:
    """Queue and pods under that rule. `devices` by model and `cores` (of pods without devices) are what there is."""

    def __init__(
        self,
        devices: dict[str, int],
        cores: int,
        latency: Callable[[str, float], float],
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._free: Counter[str] = Counter(devices | {"": cores})
        self._latency, self._idle_seconds = latency, idle_seconds
        self._asked = 0
        self.pods: list[Pod] = []
        self.idle: list[Work] = []

    def submit(self, work: Work, now: float) -> None:
        """It is idle from now on."""
        work.since = now
        self.idle.append(work)

    def loop(self, now: float) -> None:
        """One turn of the rule."""
        unclaimed = Counter(pod.shape for pod in self.pods if pod.work is None)
        for shape, count in Counter(map(shape_of, self.idle)).items():
            for _ in range(wanted(count) - unclaimed[shape]):
                self._asked += 1
                self.pods.append(Pod(f"pod-{self._asked}", shape))
        self._schedule(now)

    def join(self, now: float) -> None:
        """Pods whose time has come run."""
        for pod in self.pods:
            if not pod.running and pod.joins is not None and pod.joins <= now:
                pod.running, pod.idle_since = True, now

    def match(self, now: float) -> list[tuple[Work, Pod]]:
        """One negotiation: by class, then by age. Who started where."""
        free: dict[Shape, list[Pod]] = {}
        for pod in self.pods:
            if pod.running and pod.work is None:
                free.setdefault(pod.shape, []).append(pod)
        started = []
        for work in sorted(self.idle, key=lambda one: (_CLASSES[one.priority_class], one.since)) if free else ():
            if pods := free.get(shape_of(work)):
                pod = pods.pop()
                pod.work, work.since = work, now
                started.append((work, pod))
        taken = {work for work, _ in started}
        self.idle = [work for work in self.idle if work not in taken]
        return started

    def end(self, work: Work, pod: Pod, now: float) -> None:
        """The work is done."""
        pod.work, pod.idle_since = None, now

    def leave(self, now: float) -> None:
        """Pods that were unclaimed for their time end, and make room."""
        stay = []
        for pod in self.pods:
            if pod.running and pod.work is None and now - pod.idle_since >= self._idle_seconds:
                self._free[pod.model] += pod.shape[2] or pod.shape[0]
            else:
                stay.append(pod)
        if len(stay) < len(self.pods):
            self.pods = stay
            self._schedule(now)

    def _schedule(self, now: float) -> None:
        for pod in self.pods:
            if pod.joins is None:
                cpus, _, devices, model = pod.shape
                size = devices or cpus
                models = (
                    [model] if model or not devices else sorted(set(self._free) - {""}, key=lambda m: -self._free[m])
                )
                if self._free[models[0]] >= size:
                    self._free[models[0]] -= size
                    pod.model, pod.joins = models[0], now + self._latency(pod.name, now)


def shape_of(work: Work) -> Shape:
    """By which the rule groups."""
    return work.cpus, work.memory_mb, work.devices, work.model
