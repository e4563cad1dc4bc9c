"""Broken devices are taken out of the offer by HTCondor's own OFFLINE_MACHINE_RESOURCE_<kind>, and put back.

The startd reads its list from a file whenever it is told to reconfigure. A list is for the startd of one pid: one that
starts anew never finds the list of the one before, with which it could not lay out its slots (condor_config.d/73).
"""

import fcntl
import os
import re
import signal
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from mlinfn_condor import whole_files
from mlinfn_condor.metering.look import Look
from mlinfn_condor.node.devices import Device, Kind

_LINE = re.compile(r"MLINFN_OFFLINE_\w+?_(?P<pid>\d+) = (?P<ids>.*)")
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


def configuration(startd: int, devices: Collection[Device], withdrawn: Collection[str]) -> str:
    """What the startd of this pid reads: a list for each kind of which it has devices, be it empty."""
    lines = (
        f"MLINFN_OFFLINE_{kind}_{startd} = "
        + ", ".join(device.id for device in devices if device.kind == kind and device.id in withdrawn)
        for kind in KINDS
        if any(device.kind == kind for device in devices)
    )
    return "".join(f"{line}\n" for line in lines)


class Startd:
    """The startd that this monitor belongs to. All startds of a machine, and their monitors, share the `lists`."""

    def __init__(self, pid: int, lists: Path) -> None:
        self._pid, self._lists = pid, lists

    def withdrawn(self, devices: Collection[Device]) -> frozenset[str]:
        """What a monitor of this very startd withdrew before; nothing for a startd that is new."""
        mine = (match["ids"] for match in self._matches() if int(match["pid"]) == self._pid)
        named = {one for ids in mine for one in ids.split(", ")}
        return frozenset(device.id for device in devices if device.id in named)

    def tell(self, devices: Collection[Device], withdrawn: Collection[str]) -> str | None:
        """Have the startd read this list; None, or why it cannot be told. Lists of startds that are gone go, too."""
        try:
            with self._lists.with_name(f".{self._lists.name}.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                whole_files.replace(self._lists, self._others() + configuration(self._pid, devices, withdrawn))
            os.kill(self._pid, signal.SIGHUP)
        except OSError as error:
            return f"the startd cannot be told: {error.strerror}"
        return None

    def _others(self) -> str:
        kept = (match for match in self._matches() if int(match["pid"]) != self._pid)
        return "".join(f"{match[0]}\n" for match in kept if Path(f"/proc/{match['pid']}").exists())

    def _matches(self) -> list[re.Match[str]]:
        try:
            lines = self._lists.read_text().splitlines()
        except OSError:
            return []
        return [match for match in map(_LINE.fullmatch, lines) if match]
