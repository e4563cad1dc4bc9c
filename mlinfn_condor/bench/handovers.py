"""Case `handovers`: very many in a row, many at a time, and not one may go wrong."""

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import cycle

from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.journal import Event, attempts, name_of
from mlinfn_condor.bench.stand import GPUS, USERS, Load, Stand
from mlinfn_condor.bench.verdict import judge
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout

NAME = "handovers"
WANTED = 1000
TARGET: Target = {
    "n": (">=", WANTED),
    "double_use": ("<=", 0),
    "wasted_evictions": ("<=", 0),
    "lost": ("<=", 0),
    "repeated": ("<=", 0),
}
LOAD = Load(run_seconds=20, leave=[0.2, 0.4, 0.6, 0.8, 1.0])
"""Short trainings, so that many also finish, and finish in the moment of an eviction."""
RUN_SECONDS = 1
DASK_EVERY = 100
"""After so many hand-overs some go to Dask, by RANK instead of by conflict. The sessions pause meanwhile and the pool
fills up: among all those that come and go, Dask would only ever take what happens to be free."""
DASK_AT_ONCE = 4
AT_MOST_SECONDS = 1800
LAST_SECONDS = 120
LOOK_SECONDS = 0.1

_INTERACTIVE, _DASK, _BATCH = PriorityClass


@dataclass
class Watch:
    """Who computes on which device, and who is on the way there, as the journal tells it: without asking a daemon."""

    on: dict[str, str] = field(default_factory=dict)
    """Job that computes on a device."""
    coming: dict[str, str] = field(default_factory=dict)
    """Model that each session wants, and "" for Dask, from its submit to its end."""
    asked: set[str] = field(default_factory=set)
    """Devices whose job was asked to leave."""
    handed_over: int = 0

    def see(self, event: Event) -> None:
        """Follow one event."""
        for device in event.devices:
            if event.what == "computing":
                self.handed_over += device in self.asked and not event.job.startswith(_BATCH)
                self.asked.discard(device)
                self.on[device] = event.job
            elif event.what == "asked-to-leave":
                self.asked.add(device)
            elif event.what in ("left", "finished") and self.on.get(device) == event.job:
                del self.on[device]
        if event.what == "finished":
            self.coming.pop(event.job, None)

    @property
    def full(self) -> bool:
        """Whether batch computes everywhere, and nobody is on his way."""
        held = [job for device, job in self.on.items() if device not in self.asked and job.startswith(_BATCH)]
        return not self.coming and len(held) == len(GPUS)

    def opening(self) -> str | None:
        """A model on which more batch computes than sessions are on their way to, if there is one."""
        held = Counter(GPUS[device] for device, job in self.on.items() if job.startswith(_BATCH))
        held.subtract(Counter(model for model in self.coming.values() if model))
        model, room = max(held.items(), key=lambda one: one[1], default=("", 0))
        return model if room > 0 else None


def measure(stand: Stand, wanted: int, report: Report) -> Measured:
    """Displace until so many hand-overs were seen, wait for the last ones, and judge. Raises Timeout."""
    watch, submitted, users = Watch(), list(stand.batch), cycle(USERS)
    began, dask_from = time.monotonic(), 0
    with report.step(f"{NAME}: {wanted} in a row", wanted) as step:
        while watch.handed_over < wanted:
            seen = watch.handed_over
            _follow(stand, watch)
            if watch.handed_over >= dask_from:
                _wait(stand, watch, lambda: watch.full)
                submitted += [_send(stand, watch, next(users), "") for _ in range(DASK_AT_ONCE)]
                _wait(stand, watch, lambda: not watch.coming)
                dask_from += DASK_EVERY
            elif model := watch.opening():
                submitted.append(_send(stand, watch, next(users), model))
            else:
                time.sleep(LOOK_SECONDS)
            step.advance(min(watch.handed_over, wanted) - seen)
            if time.monotonic() - began > AT_MOST_SECONDS:
                break
    _wait(stand, watch, lambda: not watch.coming)
    seconds = time.monotonic() - began
    queued = stand.queued()
    stand.journal.refresh()
    verdict = judge(attempts(stand.journal.events), submitted, queued)
    return Measured(verdict.figures() | {"seconds_per_handover_s": round(seconds / max(1, verdict.n), 3)})


def case(ours: Measured, wanted: int) -> Case:
    """The case, with its target; a quick look wants fewer."""
    return Case(NAME, ours, {**TARGET, "n": (">=", wanted)})


def _send(stand: Stand, watch: Watch, user: str, model: str) -> str:
    """Submit a session on that model, or a Dask worker's stand-in on any."""
    priority_class = _INTERACTIVE if model else _DASK
    stand.submit(user, priority_class, RUN_SECONDS, model or None)
    job = name_of(stand.clients[user].finish().result, priority_class)
    watch.coming[job] = model
    return job


def _follow(stand: Stand, watch: Watch) -> None:
    for event in stand.journal.refresh():
        watch.see(event)


def _wait(stand: Stand, watch: Watch, until: Callable[[], bool]) -> None:
    deadline = time.monotonic() + LAST_SECONDS
    while not until():
        if time.monotonic() > deadline:
            waiting = ", ".join(sorted(watch.coming)) or "batch on every GPU"
            raise Timeout(f"waited {LAST_SECONDS} s in vain for {waiting}")
        time.sleep(LOOK_SECONDS)
        _follow(stand, watch)
