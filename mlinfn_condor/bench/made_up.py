"""Nodes and jobs as startds and schedds would tell of them, made up: slots laid out as node/slots.py lays them out."""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Job, Slot
from mlinfn_condor.provisioning.bins import Bare, Devices
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.rooms import Lane, Portions
from mlinfn_condor.shipped import shipped

SESSION = PriorityClass.INTERACTIVE
_REST = {f"Attribute{number}": number for number in range(120)}
"""A startd tells much more than anybody reads here, and reading costs all the same."""


def portions() -> Portions:
    """The numbers of the policy as it is shipped."""
    text = (shipped("condor_config.d") / "00-state-the-numbers.conf").read_text(encoding="utf-8")
    numbers = dict(re.findall(r"^(MLINFN_\w+)\s*=\s*(\d+)\s*$", text, re.MULTILINE))
    return Portions(int(numbers["MLINFN_BARE_PERCENT"]), int(numbers["MLINFN_HANDOVER_RESERVE_MB"]))


@dataclass(eq=False)
class Work:
    """A job, with what a simulation has to know of it. Times are seconds."""

    number: int
    priority_class: PriorityClass
    project: str
    cpus: int
    memory_mb: int
    devices: int = 0
    model: str = ""
    arrives: float = 0
    left: float = 0
    """Seconds of running until it is done."""
    since: float = 0
    """When it became idle, or started."""

    def job(self) -> Job:
        """As its access point tells of it while it is idle."""
        ad: dict[str, Any] = {
            "ClusterId": self.number,
            "EnteredCurrentStatus": int(self.since),
            "JobStatus": 1,
            "Owner": f"{self.project}-{self.number % 7}",
            "PriorityClass": self.priority_class.value,
            "ProcId": 0,
            "Project": self.project,
            "RequestCpus": self.cpus,
            "RequestMemory": self.memory_mb,
        }
        if self.devices:
            ad["RequestGPUs"] = self.devices
        if self.model:
            ad["RequireGPUs"] = f'DeviceModel == "{self.model}"'
        return Job.from_ad(self.priority_class.access_point, ad)


@dataclass(eq=False)
class MadeUpNode:
    """One node and who is on it. Who may start and who leaves for whom is as in condor_config.d/62 to 64."""

    name: str
    kind: NodeKind
    shared: Portions
    running: dict[Work, tuple[int, ...]] = field(default_factory=dict)
    """Payloads and the numbers of their devices."""
    _slots: list[Slot] | None = None

    def start(self, work: Work) -> list[Work] | None:
        """Start it if there is room, or somebody who gives way: those. None: it cannot start here now."""
        room = self.shared.room(self.kind)
        if not work.devices:
            return self._start_bare(work, room[Lane.SESSION if work.priority_class is SESSION else Lane.WORK])
        shape = room.get(Lane.DEVICES)
        if not isinstance(shape, Devices) or work.model not in ("", self.kind.model):
            return None
        if work.cpus > work.devices * shape.cpus or work.memory_mb > work.devices * shape.memory_mb:
            return None
        free = self._not_held_by(self.running)
        victims: list[Work] = []
        if len(free) < work.devices and work.priority_class is SESSION:
            spare = self._not_held_by(one for one in self.running if one.priority_class is SESSION)
            free = sorted(spare, key=lambda device: device not in free)
            taken = set(free[: work.devices])
            victims = [one for one, held in self.running.items() if taken & set(held)]
        elif len(free) < work.devices:
            lower = [
                one
                for one, held in self.running.items()
                if self._rank(one) < self._rank(work) and len(held) >= work.devices
            ]
            victims = sorted(lower, key=self._rank)[:1]
            free = [device for one in victims for device in self.running[one]]
        if len(free) < work.devices:
            return None
        for victim in victims:
            self.end(victim)
        self._begin(work, tuple(free[: work.devices]))
        return victims

    def could(self, work: Work) -> bool:
        """Whether it could run here if nobody else did."""
        return replace(self, running={}, _slots=None).start(work) is not None

    def end(self, work: Work) -> None:
        """It has left."""
        del self.running[work]
        self._slots = None

    def slots(self) -> list[Slot]:
        """What the collector has of it."""
        if self._slots is None:
            self._slots = [Slot.from_ad(ad) for ad in self._ads()]
        return self._slots

    def _begin(self, work: Work, devices: tuple[int, ...]) -> None:
        self.running[work] = devices
        self._slots = None

    def _start_bare(self, work: Work, whole: object) -> list[Work] | None:
        left = self._left(whole, work.priority_class is SESSION)
        if work.cpus > left.cpus or work.memory_mb > left.memory_mb:
            return None
        self._begin(work, ())
        return []

    def _left(self, whole: object, session: bool) -> Bare:
        if not isinstance(whole, Bare):
            raise TypeError(f"{whole} is no room without devices")
        on_it = [one for one, held in self.running.items() if not held and (one.priority_class is SESSION) is session]
        cpus, memory = sum(one.cpus for one in on_it), sum(one.memory_mb for one in on_it)
        return Bare(whole.cpus - cpus, whole.memory_mb - memory)

    def _rank(self, work: Work) -> int:
        """Among payloads on devices: sessions above all, then owners, then dask."""
        owner = bool(work.project) and work.project == self.kind.owner_project
        return 4 * (work.priority_class is SESSION) + 2 * owner + (work.priority_class is PriorityClass.DASK)

    def _not_held_by(self, payloads: Collection[Work] | Iterator[Work]) -> list[int]:
        held = {device for one in payloads for device in self.running[one]}
        return [device for device in range(self.kind.devices) if device not in held]

    def _ads(self) -> Iterator[dict[str, Any]]:
        room = self.shared.room(self.kind)
        yield self._bare_ad(2, "session", room[Lane.SESSION])
        yield self._bare_ad(3, "work", room[Lane.WORK])
        shape = room.get(Lane.DEVICES)
        resource = self.kind.device_kind.resource if self.kind.device_kind else ""
        if isinstance(shape, Devices):
            yield self._devices_ad(1, "session", resource, shape)
            yield self._devices_ad(4, "opportunistic", resource, shape)
        for number, (work, held) in enumerate(self.running.items()):
            session = work.priority_class is SESSION
            lane = 1 if session and held else 2 if session else 4 if held else 3
            yield {
                "Name": f"slot{lane}_{number + 1}@{self.name}@made-up",
                "State": "Claimed",
                "Activity": "Busy",
                "MlinfnOffer": ("", "session", "session", "work", "opportunistic")[lane],
                f"Assigned{resource or 'GPUs'}": ",".join(self._id(device) for device in held),
                "GlobalJobId": f"{work.priority_class.access_point}#{work.number}.0#1",
                "RemoteOwner": work.project,
                "PriorityClass": work.priority_class.value,
                "Project": work.project,
                "Cpus": work.cpus,
                "Memory": work.memory_mb,
            }

    def _bare_ad(self, number: int, offer: str, whole: object) -> dict[str, Any]:
        left = self._left(whole, offer == "session")
        return self._partitionable(number, offer, left.cpus, left.memory_mb) | {
            "TotalSlotCpus": getattr(whole, "cpus", 0),
            "TotalSlotMemory": getattr(whole, "memory_mb", 0),
        }

    def _devices_ad(self, number: int, offer: str, resource: str, shape: Devices) -> dict[str, Any]:
        count = self.kind.devices
        known = {
            f"{resource}_{self._id(device).replace('-', '_')}": {
                "Id": self._id(device),
                "DeviceModel": self.kind.model,
                "Simulated": True,
                **dict(self.kind.properties),
            }
            for device in range(count)
        }
        return (
            self._partitionable(number, offer, count * shape.cpus, count * shape.memory_mb)
            | known
            | {
                f"Assigned{resource}": ",".join(self._id(device) for device in range(count)),
                "MlinfnDeviceCpus": shape.cpus,
                "MlinfnDeviceMemoryMb": shape.memory_mb,
            }
        )

    def _partitionable(self, number: int, offer: str, cpus: int, memory_mb: int) -> dict[str, Any]:
        return _REST | {
            "Name": f"slot{number}@{self.name}@made-up",
            "PartitionableSlot": True,
            "State": "Unclaimed",
            "MlinfnOffer": offer,
            "MlinfnOwnerProject": self.kind.owner_project,
            "MlinfnGlideinUid": f"uid-{self.name}",
            "Cpus": cpus,
            "Memory": memory_mb,
            "TotalSlotCpus": cpus,
            "TotalSlotMemory": memory_mb,
        }

    def _id(self, device: int) -> str:
        return f"GPU-{self.name}-{device}"
