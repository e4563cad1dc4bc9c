"""What a session tells of its work in `activity.json`: facts and times, no judgement.

Who judges (the hub's culler) may be away for hours and keeps nothing: the report itself says since when the session has
been watched without a gap, and when each signal was last as high as any level. All times are seconds of the epoch.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

FILE = "activity.json"
BUSY_STATES, QUIET_STATES = {"busy"}, {"idle", "starting", "restarting", "autorestarting", "terminating", "dead"}
"""Jupyter's words for what a kernel does; a word in neither is not understood, hence never called idle."""


@dataclass(frozen=True)
class Peaks:
    """When a signal was last at or above any level: the few samples that no later one reached.

    Levels fall as times rise, so that one short tuple answers for every threshold, without a history.
    """

    samples: tuple[tuple[float, int], ...] = ()
    """(time, percent), at most one for each percent from 1 to 100."""

    def after(self, now: float, percent: float) -> "Peaks":
        """With one more sample; what is above 100 (several cores, several devices) counts as 100."""
        level = min(100, max(0, math.ceil(percent)))
        kept = tuple(sample for sample in self.samples if sample[1] > level)
        return Peaks((*kept, (now, level)) if level else kept)

    def last(self, percent: float) -> float | None:
        """When it was last at or above this level; None if never since the session is watched."""
        return max((time for time, level in self.samples if level >= percent), default=None)


@dataclass(frozen=True)
class Signal:
    """One thing that tells of work, in percent: the CPU of a core, a device."""

    watched_since: float
    """From then on looked at without a gap."""
    peaks: Peaks = Peaks()
    percent: int = 0
    """The last sample."""


@dataclass(frozen=True)
class Kernel:
    """A kernel of the session's notebooks."""

    id: str
    state: str
    last_activity: float
    """Start, last execution or last output."""
    connections: int = 0
    """Open tabs and consoles; no sign of work."""


@dataclass(frozen=True)
class Terminal:
    """A terminal of the session. What its programs do is in the CPU and device signals."""

    name: str
    last_input: float
    """When a program in it last read what somebody typed; what `w` calls idle. Output is no activity: a clock, too."""
    program: str | None = None
    """What runs in the foreground; None for the shell itself."""
    connections: int = 0


@dataclass(frozen=True)
class Devices:
    """What the session's processes do on the devices that HTCondor assigned to it."""

    ids: tuple[str, ...] = ()
    signal: Signal | None = None
    """Of the busiest device; None where nobody can tell."""
    unknown: str | None = None
    """Why nobody can tell."""
    memory_mb: int = 0
    """Device memory that the session's processes hold; held memory alone is no work."""


@dataclass(frozen=True)
class Activity:
    """One report."""

    written: float
    started: float
    """When the session's server started."""
    cpu: Signal
    """Of all processes of the session but the Jupyter server itself, which open tabs alone keep moving."""
    person: float
    """When a person last typed or clicked in the page, or said to keep the session."""
    kernels: tuple[Kernel, ...] = ()
    terminals: tuple[Terminal, ...] = ()
    devices: Devices = field(default_factory=Devices)

    @property
    def connections(self) -> int:
        """Open tabs."""
        return sum(kernel.connections for kernel in self.kernels) + sum(one.connections for one in self.terminals)

    def as_json(self) -> dict[str, Any]:
        """What `read` takes."""
        return asdict(self)


def read(content: Mapping[str, Any] | None) -> Activity | None:
    """The report in this object; None if it is none. Anything may stand there: the file is the user's."""
    try:
        return _activity(content) if content is not None else None
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return None


def _activity(told: Mapping[str, Any]) -> Activity:
    return Activity(
        written=_time(told["written"]),
        started=_time(told["started"]),
        cpu=_signal(told["cpu"]),
        person=_time(told["person"]),
        kernels=tuple(
            Kernel(str(one["id"]), str(one["state"]), _time(one["last_activity"]), int(one["connections"]))
            for one in told["kernels"]
        ),
        terminals=tuple(
            Terminal(str(one["name"]), _time(one["last_input"]), one["program"], int(one["connections"]))
            for one in told["terminals"]
        ),
        devices=_devices(told["devices"]),
    )


def _devices(told: Mapping[str, Any]) -> Devices:
    ids: Iterable[Any] = told["ids"]
    signal = told["signal"]
    unknown = told["unknown"]
    return Devices(
        ids=tuple(str(one) for one in ids),
        signal=_signal(signal) if signal is not None else None,
        unknown=str(unknown) if unknown is not None else None,
        memory_mb=int(told["memory_mb"]),
    )


def _signal(told: Mapping[str, Any]) -> Signal:
    samples = tuple((_time(time), int(level)) for time, level in told["peaks"]["samples"])
    return Signal(_time(told["watched_since"]), Peaks(samples), int(told["percent"]))


def _time(told: Any) -> float:
    if isinstance(told, bool) or not isinstance(told, int | float) or not math.isfinite(told):
        raise ValueError(f"{told!r} is no time")
    return float(told)
