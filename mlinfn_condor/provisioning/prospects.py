"""What a provisioner tells a hub: of which nodes the site still lets one be added, and what becomes of idle sessions.

A file, replaced at each turn: a hub that reads it needs neither the rights nor the time to plan for itself.
"""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import DeviceKind, Job, Slot
from mlinfn_condor.provisioning.actions import Plan
from mlinfn_condor.provisioning.bins import Bare, Devices
from mlinfn_condor.provisioning.demand import settled
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Lane, Room
from mlinfn_condor.provisioning.snapshot import Snapshot
from mlinfn_condor.provisioning.waiting import sentence_of
from mlinfn_condor.submission.why import Nodes

GOOD_SECONDS = 90
"""So long what was told is believed: three of the longest pauses between two turns."""


@dataclass(frozen=True)
class Prospects:
    """What was told last, while it holds."""

    slots: tuple[Slot, ...] = ()
    """As sessions would find them on one more node of each kind that can be added."""
    said: tuple[tuple[str, Nodes], ...] = ()
    """Of idle sessions, by what they ask."""

    def of(self, job: Job) -> Nodes | None:
        """What is said of an idle session; None: nothing, because there is room for it or it is not yet known."""
        return next((nodes for key, nodes in self.said if key == _key(job.project, repr(settled(job)))), None)

    @classmethod
    def read(cls, file: Path | None, now: float | None = None) -> Self:
        """Nothing, where no provisioner has told lately."""
        if file is None:
            return cls()
        try:
            told = json.loads(file.read_text())
            if not 0 <= (time.time() if now is None else now) - told["at"] + 1 <= GOOD_SECONDS:
                return cls()
            slots = tuple(Slot.from_ad(ad) for ad in told["slots"])
            return cls(slots, tuple((key, Nodes(**nodes)) for key, nodes in told["said"]))
        except (OSError, ValueError, TypeError, KeyError):
            return cls()


class ProspectsFile:
    """Where the provisioner that acts tells it."""

    def __init__(self, path: Path, *, simulated: bool = False) -> None:
        """`simulated`: devices of nodes to come are no real ones."""
        self.path, self._simulated = path, simulated

    def tell(self, decided: Plan, snapshot: Snapshot) -> None:
        """Replace what was told. Raises OSError. A plan that concludes nothing lets the last one stand for its time."""
        if decided.distrust:
            return
        told = {
            "at": snapshot.now,
            "slots": [ad for kind, room in decided.addable for ad in _slots(kind, room, self._simulated)],
            "said": list(_said(decided)),
        }
        draft = self.path.with_name(f".{self.path.name}.new")
        draft.write_text(json.dumps(told))
        draft.rename(self.path)

    def withdraw(self) -> None:
        """No provisioner acts any more."""
        self.path.unlink(missing_ok=True)


def _said(decided: Plan) -> Iterator[tuple[str, dict[str, Any]]]:
    for fate in decided.fates:
        # Without what was asked for when: a page that follows would show a new line every second.
        if fate.need.ask.priority_class is not PriorityClass.INTERACTIVE:
            continue
        # Room that is there may be on a node that a hub's last look at the slots has missed: none is "never" to come.
        come = bool(fate.coming or fate.kept or fate.free or fate.displacing)
        told = {"sentence": sentence_of(decided, fate) or "", "come": come}
        yield _key(fate.need.project, repr(fate.need.ask)), told


def _key(project: str, ask: str) -> str:
    return f"{project} {ask}"


def _slots(kind: NodeKind, room: Room, simulated: bool) -> Iterator[dict[str, Any]]:
    """The slots for sessions of a node of this kind, as ads."""
    match room.get(Lane.SESSION):
        case Bare(cpus, memory_mb):
            yield _slot(f"slot2@{kind.name}", kind, cpus, memory_mb)
    match room.get(Lane.DEVICES):
        case Devices(shares, cpus, memory_mb):
            names = [(share.model, f"{kind.name}-{n}") for share in shares for n in range(share.count)]
            devices: dict[str, Any] = {}
            for resource in (one.resource for one in DeviceKind):
                mine = [(model, name) for model, name in names if model.kind.resource == resource]
                devices[f"Assigned{resource}"] = ",".join(name for _, name in mine)
                for model, name in mine:
                    known = {"Id": name, "DeviceModel": model.name, "Simulated": simulated}
                    devices[f"{resource}_{name.replace('-', '_')}"] = dict(kind.properties) | known
            shape = {"MlinfnDeviceCpus": cpus, "MlinfnDeviceMemoryMb": memory_mb}
            whole = _slot(f"slot1@{kind.name}", kind, cpus * len(names), memory_mb * len(names))
            yield whole | shape | devices


def _slot(name: str, kind: NodeKind, cpus: int, memory_mb: int) -> dict[str, Any]:
    return {
        "Name": f"{name}@to-come",
        "PartitionableSlot": True,
        "State": "Unclaimed",
        "MlinfnOffer": "session",
        "MlinfnOwnerProject": kind.owner_project,
        "Cpus": cpus,
        "Memory": memory_mb,
        "TotalSlotCpus": cpus,
        "TotalSlotMemory": memory_mb,
    }
