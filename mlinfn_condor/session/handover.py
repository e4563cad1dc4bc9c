"""The minute in which a session runs but its device still belongs to a job that is saving its state.

`glidein/libexec/hold-devices` starts the session at once and creates a file as soon as the session has the locks of its
devices. Until then nothing of the session may touch a device: kernels and terminals wait here, and say for how long.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, MutableMapping
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.session.job import Device, Job

LOOK_SECONDS = 0.1
"""Between two looks for the file: one stat, and nobody notices the delay."""

_DEVICE_VARIABLES = ("CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "NVIDIA_VISIBLE_DEVICES")
_HIDDEN = "MLINFN_HIDDEN_"

_DOING = {
    "batch": ("a batch job that is saving its state", "batch jobs that are saving their state"),
    "dask": ("a Dask worker that is leaving", "Dask workers that are leaving"),
    "interactive": ("a session that is ending", "sessions that are ending"),
}


@dataclass(frozen=True)
class Holder:
    """Who has the lock of a device, as it wrote into the lock's file."""

    job: str
    doing: str
    """Its class, a key of the sentences above."""
    window_seconds: int
    """How long it may take to save its state once it is told to go."""


@dataclass(frozen=True)
class Handover:
    """The hand-over of a session's devices; over when `ready` exists, and never again after that."""

    ready: Path
    locks: Path
    devices: tuple[Device, ...]
    since: float
    """When the session started (seconds of the epoch)."""
    notice_seconds: float
    """How long after that the startd may take to tell the job that holds the device."""

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> "Handover | None":
        """The hand-over that this process is in; None where it has no device or none of our pools started it."""
        needed = ("_CONDOR_SCRATCH_DIR", "MLINFN_DEVICE_LOCKS", "MLINFN_DEVICES_SINCE")
        devices = Job.around(environment).devices
        if not devices or not all(environment.get(name) for name in needed):
            return None
        return cls(
            ready=Path(environment["_CONDOR_SCRATCH_DIR"]) / ".mlinfn-devices-ready",
            locks=Path(environment["MLINFN_DEVICE_LOCKS"]),
            devices=devices,
            since=float(environment["MLINFN_DEVICES_SINCE"]),
            notice_seconds=float(environment.get("MLINFN_POLL_SECONDS", "1")),
        )

    @property
    def is_over(self) -> bool:
        """Whether the session has its devices."""
        return self.ready.exists()

    def holders(self) -> list[Holder]:
        """Who holds the devices; empty for the instant in which a holder has not yet written its name."""
        found = []
        for device in self.devices:
            try:
                told = json.loads((self.locks / device.id).read_text())
                holder = Holder(str(told["job"]), str(told["class"]), int(told["window_seconds"]))
            except (OSError, ValueError, KeyError, TypeError):
                continue
            if holder.doing in _DOING and holder not in found:
                found.append(holder)
        return found

    def sentence(self, now: float) -> str:
        """What to tell the person who waits, at this time (seconds of the epoch)."""
        return waiting_sentence(self.devices, self.holders(), now - self.since - self.notice_seconds)

    def wait(self, say: Callable[[str], None]) -> bool:
        """Block until the devices are the session's; False, and not a word, if they already were.

        `say` gets each new sentence, at most one a second; an exception, KeyboardInterrupt included, ends the wait.
        """
        if self.is_over:
            return False
        said = None
        while not self.is_over:
            if (sentence := self.sentence(time.time())) != said:
                say(said := sentence)
            time.sleep(LOOK_SECONDS)
        say(ready_sentence(self.devices))
        return True


def waiting_sentence(devices: Iterable[Device], holders: list[Holder], told_since: float) -> str:
    """Promise no more than HTCondor keeps: `told_since` is the seconds since the last holder was told at the latest."""
    noun, plural = _noun(devices)
    what = f"The {noun} {'are' if plural else 'is'} being handed over"
    if not holders:
        return what
    who = _DOING[holders[0].doing][len(holders) > 1]
    left = max(holder.window_seconds for holder in holders) - told_since
    if left > 0:
        return f"{what} by {who}, at most {int(left) + 1} s left"
    return f"{what} by {who}. This takes longer than its window; HTCondor is ending the job now"


def ready_sentence(devices: Iterable[Device]) -> str:
    """Your GPU (A100, simulated) is ready."""
    devices = tuple(devices)
    noun, plural = _noun(devices)
    return f"Your {noun} ({'; '.join(device.label for device in devices)}) {'are' if plural else 'is'} ready"


def _noun(devices: Iterable[Device]) -> tuple[str, bool]:
    kinds = [device.kind for device in devices]
    noun = kinds[0] if len(set(kinds)) == 1 else "device"
    return (f"{noun}s", True) if len(kinds) > 1 else (noun, False)


def hide_devices(environment: MutableMapping[str, str]) -> None:
    """Make CUDA and its like find no device, so that what forgets to wait fails instead of sharing a device."""
    for name in _DEVICE_VARIABLES:
        if name in environment and _HIDDEN + name not in environment:
            environment[_HIDDEN + name] = environment[name]
            environment[name] = ""


def reveal_devices(environment: MutableMapping[str, str]) -> None:
    """Undo `hide_devices`; libraries read the variables when they first look for a device."""
    for name in _DEVICE_VARIABLES:
        if (hidden := environment.pop(_HIDDEN + name, None)) is not None:
            environment[name] = hidden
