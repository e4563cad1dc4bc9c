"""Slots and devices as the startds advertise them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from typing import Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import ads
from mlinfn_condor.pool.ads import Ad
from mlinfn_condor.pool.images import ImageKind
from mlinfn_condor.pool.jobs import JobId, class_of


class DeviceKind(StrEnum):
    """Kinds of device; the value is what people write."""

    GPU = "gpu"
    FPGA = "fpga"

    @property
    def resource(self) -> str:
        """HTCondor's name of the custom resource."""
        return {DeviceKind.GPU: "GPUs", DeviceKind.FPGA: "FPGAs"}[self]

    @property
    def word(self) -> str:
        """How it stands in a sentence."""
        return self.value.upper()


@dataclass(frozen=True, order=True)
class Device:
    """One accelerator of a node."""

    kind: DeviceKind
    model: str
    id: str
    simulated: bool = False
    properties: Ad = field(default_factory=dict, repr=False, compare=False)

    @property
    def label(self) -> str:
        """The model as every place that shows it must write it."""
        return f"{self.model} (simulated)" if self.simulated else self.model


SLOT_ATTRIBUTES = (
    "Activity",
    "AssignedFPGAs",
    "AssignedGPUs",
    "Cpus",
    "Disk",
    "EnteredCurrentState",
    "FPGAs",
    "GPUs",
    "GlobalJobId",
    "HasContainer",
    "JobMaxVacateTime",
    "JobStart",
    "Machine",
    "MachineMaxVacateTime",
    "Memory",
    "MlinfnDeviceCpus",
    "MlinfnDeviceMemoryMb",
    "MlinfnOffer",
    "MlinfnOwnerProject",
    "Name",
    "PartitionableSlot",
    "PriorityClass",
    "Project",
    "RemoteOwner",
    "RemoteUser",
    "ResourceConflict",
    "State",
    "TotalSlotCpus",
    "TotalSlotDisk",
    "TotalSlotMemory",
    *ImageKind,
)
"""What a Slot is made of, the properties of its devices excepted: those have a name per device."""


_ADDRESS = re.compile(r"<(?P<host>\[[0-9a-fA-F:]+\]|[0-9.]+):\d+")
"""HTCondor's sinful string: `<10.0.0.1:9618?addrs=…>`."""


@dataclass(frozen=True)
class Slot:
    """One slot. Of a partitionable slot cpus, memory and disk are what is left in it."""

    name: str
    ad: Ad = field(repr=False, compare=False)

    @classmethod
    def from_ad(cls, ad: Ad) -> Self:
        """Read a slot ad of the collector."""
        return cls(ads.text(ad, "Name"), ad)

    @property
    def node(self) -> str:
        """The execution point: `server1` in `slot5_3@server1@host`; the machine when its startd has no name."""
        parts = self.name.split("@")
        return parts[1] if len(parts) > 1 else ads.text(self.ad, "Machine")

    @property
    def hosts(self) -> frozenset[str]:
        """Names and address by which its machine may be reached; of a whole ad, others do not tell the address."""
        machine = ads.text(self.ad, "Machine")
        address = _ADDRESS.match(ads.text(self.ad, "MyAddress"))
        found = {machine, machine.partition(".")[0], address["host"].strip("[]") if address else ""}
        return frozenset(found - {""})

    @property
    def offer(self) -> str:
        """For whom it is: `session`, `work` (dask and batch without a device) or `opportunistic` (those with one)."""
        return ads.text(self.ad, "MlinfnOffer")

    @property
    def partitionable(self) -> bool:
        """Whether slots are carved out of it; it never runs a job itself."""
        return self.ad.get("PartitionableSlot") is True

    @property
    def images(self) -> frozenset[ImageKind]:
        """Which images jobs can run in there."""
        able = self.ad.get("HasContainer") is True
        return frozenset(kind for kind in ImageKind if able and self.ad.get(kind) is True)

    @property
    def claimed(self) -> bool:
        """Whether a job has it, one that is on its way out included."""
        return not self.partitionable and ads.text(self.ad, "State") in ("Claimed", "Preempting")

    @property
    def leaving(self) -> bool:
        """Whether its job has been told to go."""
        return ads.text(self.ad, "State") == "Preempting"

    @property
    def cpus(self) -> int:
        """Cores, left or given."""
        return ads.whole(self.ad, "Cpus")

    @property
    def memory_mb(self) -> int:
        """Memory, left or given."""
        return ads.whole(self.ad, "Memory")

    @property
    def total_cpus(self) -> int:
        """Cores that it had when it was whole."""
        return ads.whole(self.ad, "TotalSlotCpus", self.cpus)

    @property
    def total_memory_mb(self) -> int:
        """Memory that it had when it was whole."""
        return ads.whole(self.ad, "TotalSlotMemory", self.memory_mb)

    @property
    def assigned(self) -> tuple[str, ...]:
        """Ids of its devices; a partitionable slot lists all it ever had to give."""
        return ads.names(self.ad, "AssignedGPUs") + ads.names(self.ad, "AssignedFPGAs")

    @cached_property
    def devices(self) -> tuple[Device, ...]:
        """Devices whose properties the ad carries. Found once: it is asked for again and again, in a large ad."""
        return tuple(sorted(_devices(self.ad)))

    @property
    def job(self) -> JobId | None:
        """Who runs in it."""
        access_point, _, rest = ads.text(self.ad, "GlobalJobId").partition("#")
        local = rest.partition("#")[0]
        return JobId.parse(access_point + local) if local else None

    @property
    def user(self) -> str:
        """Whose job runs in it, without the domain."""
        return (ads.text(self.ad, "RemoteOwner") or ads.text(self.ad, "RemoteUser")).partition("@")[0]

    @property
    def priority_class(self) -> PriorityClass | None:
        """Class of the job that runs in it."""
        return class_of(self.ad)

    @property
    def since(self) -> int:
        """Epoch seconds at which its job started, or at which it was claimed."""
        return ads.whole(self.ad, "JobStart") or ads.whole(self.ad, "EnteredCurrentState")

    @property
    def in_state_since(self) -> int:
        """Epoch seconds at which it was claimed, or at which its job was told to go."""
        return ads.whole(self.ad, "EnteredCurrentState")

    @property
    def project(self) -> str:
        """Project that its job is accounted on."""
        return ads.text(self.ad, "Project")

    @property
    def owner_project(self) -> str:
        """Project that paid for it; its jobs come first here."""
        named = (ads.text(self.ad, name) for name in ("GPUs_OwnerProject", "FPGAs_OwnerProject", "MlinfnOwnerProject"))
        return next(filter(None, named), "")

    @property
    def device_cpus(self) -> int:
        """Cores that belong to each of its devices; 0 when it does not say."""
        return ads.whole(self.ad, "MlinfnDeviceCpus")

    @property
    def device_memory_mb(self) -> int:
        """Memory that belongs to each of its devices; 0 when it does not say."""
        return ads.whole(self.ad, "MlinfnDeviceMemoryMb")

    @property
    def window_seconds(self) -> int | None:
        """How long its job may take to leave: what the job asked for, up to the slot's cap; None: not told."""
        asked, cap = self.ad.get("JobMaxVacateTime"), self.ad.get("MachineMaxVacateTime")
        known = [int(value) for value in (asked, cap) if isinstance(value, int | float)]
        return min(known) if isinstance(asked, int | float) else None


def _devices(ad: Ad) -> Iterator[Device]:
    for name, value in ad.items():  # some hundred, few of them devices
        if isinstance(value, dict) and "Id" in value:
            for kind in DeviceKind:
                if name.startswith(f"{kind.resource}_"):
                    model = str(value.get("DeviceModel") or value.get("DeviceName") or "unknown model")
                    yield Device(kind, model, str(value["Id"]), value.get("Simulated") is True, value)
