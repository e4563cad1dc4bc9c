"""Broken devices are taken out of the offer by HTCondor's own OFFLINE_MACHINE_RESOURCE_<kind>, and put back.

The startd reads the list from a file that carries its pid (condor_config.d/73), whenever it is told to reconfigure: a
startd that starts anew therefore never finds the list of the one before, with which it could not lay out its slots.
"""

import os
import signal
from collections.abc import Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from mlinfn_condor.metering.look import Look
from mlinfn_condor.node.devices import Device, Kind

KINDS: tuple[Kind, ...] = ("GPUs", "FPGAs")


@dataclass(frozen=True)
class Offer:
    """Which devices are out of the offer."""

    withdrawn: frozenset[str] = frozenset()
    sound_since: tuple[tuple[str, float], ...] = ()
    """Of those withdrawn, when they were first seen sound again."""


def decide(offer: Offer, looks: Mapping[str, Look], back_seconds: float) -> Offer:
    """Broken devices go at once; they come back when they were sound for so long without a break.

    What is unknown changes nothing. Invariant: a device that is neither broken nor was is never withdrawn.
    """
    broken = {one for one, look in looks.items() if look.health == "broken"}
    before = dict(offer.sound_since)
    sound = {
        one: before.get(one, looks[one].at) for one in offer.withdrawn if one in looks and looks[one].health == "ok"
    }
    back = {one for one, since in sound.items() if looks[one].at - since >= back_seconds}
    withdrawn = (offer.withdrawn | broken) - back
    return replace(offer, withdrawn=withdrawn, sound_since=tuple((o, s) for o, s in sound.items() if o in withdrawn))


def configuration(devices: Collection[Device], withdrawn: Collection[str]) -> str:
    """What the startd reads: each kind with its withdrawn devices, if only to say that there are none."""
    lines = (
        f"OFFLINE_MACHINE_RESOURCE_{kind} = "
        + ", ".join(device.id for device in devices if device.kind == kind and device.id in withdrawn)
        for kind in KINDS
        if any(device.kind == kind for device in devices)
    )
    return "".join(f"{line}\n" for line in lines)


class Startd:
    """The startd that this monitor belongs to, as far as it can be told what is broken."""

    def __init__(self, pid: int, prefix: Path) -> None:
        self.pid, self._prefix = pid, prefix

    @property
    def _path(self) -> Path:
        return self._prefix.with_name(f"{self._prefix.name}.{self.pid}")

    def withdrawn(self, devices: Collection[Device]) -> frozenset[str]:
        """What a monitor of this very startd withdrew before; nothing for a startd that is new."""
        try:
            text = self._path.read_text()
        except OSError:
            return frozenset()
        named = {one.strip() for line in text.splitlines() for one in line.partition("=")[2].split(",")}
        return frozenset(device.id for device in devices if device.id in named)

    def tell(self, text: str) -> str | None:
        """Have the startd read this; None, or why it cannot be told."""
        fresh = self._path.with_name(f".{self._path.name}.new")
        try:
            fresh.write_text(text)
            fresh.rename(self._path)
            os.kill(self.pid, signal.SIGHUP)
        except OSError as error:
            return f"the startd cannot be told: {error.strerror}"
        return None

    def forget_others(self) -> None:
        """Remove what the monitors of startds left that are gone, and of this one's if it ran before."""
        with suppress(OSError):
            for path in self._prefix.parent.glob(f"{self._prefix.name}.*"):
                pid = path.name.rpartition(".")[2]
                if pid.isdigit() and int(pid) != self.pid and not Path(f"/proc/{pid}").exists():
                    path.unlink(missing_ok=True)
