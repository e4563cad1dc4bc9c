"""What a job asks of a slot, and in which slots of the pool it could ever run: pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import Device, DeviceKind, ImageKind, Job, Slot, ads, satisfies
from mlinfn_condor.submission.phrases import listed, plural
from mlinfn_condor.submission.requests import Devices, Request

_MODEL = re.compile(r'\(*\s*DeviceModel\s*==\s*"(?P<model>[^"]*)"\s*\)*')


@dataclass(frozen=True)
class Want:
    """Devices of one kind."""

    kind: DeviceKind
    count: int
    requirement: str = ""
    """ClassAd expression over a device's properties; empty: any device of the kind."""

    def takes(self, device: Device) -> bool:
        """Whether the device is one of those."""
        return device.kind is self.kind and (not self.requirement or satisfies(self.requirement, device.properties))

    @property
    def words(self) -> str:
        """`2 A100`, `1 GPU`, or the expression when it is not about the model alone."""
        if not self.requirement:
            return plural(self.count, self.kind.word)
        if model := _MODEL.fullmatch(self.requirement):
            return f"{self.count} {model['model']}"
        return f"{plural(self.count, self.kind.word)} with {self.requirement}"


@dataclass(frozen=True)
class Ask:
    """A job's request."""

    priority_class: PriorityClass
    cpus: int
    memory_mb: int
    wants: tuple[Want, ...]
    image: ImageKind | None = None
    """How its image comes; None: it runs on the node itself."""

    @classmethod
    def of(cls, job: Job) -> "Ask":
        """Read a job's request; a job without a class counts as batch, as the pool's policy has it."""
        wants = (
            Want(kind, ads.whole(job.ad, f"Request{kind.resource}"), ads.text(job.ad, f"Require{kind.resource}"))
            for kind in DeviceKind
        )
        devices = tuple(want for want in wants if want.count > 0)
        return cls(job.priority_class or PriorityClass.BATCH, job.cpus, job.memory_mb, devices, job.image)

    @classmethod
    def for_devices(cls, priority_class: PriorityClass, devices: Devices, cpus: int, memory_mb: int) -> "Ask":
        """What the job of a request will ask."""
        requirement = f'DeviceModel == "{devices.model}"' if devices.model else ""
        wants = (Want(devices.kind, devices.count, requirement),) if devices.count else ()
        return cls(priority_class, cpus, memory_mb, wants)

    @classmethod
    def of_request(cls, request: Request) -> "Ask":
        """What the jobs of this request will ask, each."""
        asked = cls.for_devices(request.priority_class, request.devices, request.cpus, request.memory_mb)
        image = request.parameters().get("image")
        return replace(asked, image=ImageKind.of(image)) if image else asked

    @property
    def device_count(self) -> int:
        """Devices of all kinds."""
        return sum(want.count for want in self.wants)

    @property
    def offer(self) -> str:
        """Which slots are meant for it (Slot.offer)."""
        if self.priority_class is PriorityClass.INTERACTIVE:
            return "session"
        return "opportunistic" if self.wants else "work"

    @property
    def words(self) -> str:
        """`2 A100, 4 cores and 16.0 GB of memory`."""
        memory = f"{self.memory_mb / 1024:.1f} GB" if self.memory_mb >= 1024 else f"{self.memory_mb} MB"
        return listed([*(want.words for want in self.wants), plural(self.cpus, "core"), f"{memory} of memory"])

    def suitable(self, slot: Slot) -> list[Device]:
        """Devices of the slot that it could take."""
        return [device for device in slot.devices if any(want.takes(device) for want in self.wants)]

    def image_runs(self, slot: Slot) -> bool:
        """Whether the image that it asks for, if any, can run there."""
        return self.image is None or self.image in slot.images

    def cpus_limit(self, slot: Slot) -> int:
        """The most cores that it may have there: a device brings its share and no more."""
        return self.device_count * slot.device_cpus if self.wants and slot.device_cpus else slot.total_cpus

    def memory_limit_mb(self, slot: Slot) -> int:
        """The most memory that it may have there."""
        shared = self.wants and slot.device_memory_mb
        return self.device_count * slot.device_memory_mb if shared else slot.total_memory_mb


def meant_for(ask: Ask, slots: Iterable[Slot]) -> list[Slot]:
    """Partitionable slots of the kind that serves this class; a slot with devices is no place for a job without."""
    return [
        slot
        for slot in slots
        if slot.partitionable and slot.offer == ask.offer and bool(slot.devices) == bool(ask.wants)
    ]


def has_devices(ask: Ask, slot: Slot) -> bool:
    """Whether the slot has the devices, whoever holds them now."""
    return all(sum(want.takes(device) for device in slot.devices) >= want.count for want in ask.wants)


def impossible(ask: Ask, slots: Iterable[Slot]) -> str | None:
    """Why no slot of the pool could ever serve it, with what it could ask instead; None when one could."""
    meant = meant_for(ask, slots)
    if not meant:
        return "the pool has no slot of this kind at the moment: is a node down? `condor_status` lists them"
    equipped = [slot for slot in meant if has_devices(ask, slot)]
    if not equipped:
        return _no_such_devices(ask, meant)
    if not (able := [slot for slot in equipped if ask.image_runs(slot)]):
        return _no_such_images(ask, equipped)
    if not any(ask.cpus <= ask.cpus_limit(slot) for slot in able):
        limit = max(ask.cpus_limit(slot) for slot in able)
        return f"asks more cores ({ask.cpus}) than {_belong(ask)}: at most {limit}"
    if not any(ask.memory_mb <= ask.memory_limit_mb(slot) for slot in able):
        limit = max(ask.memory_limit_mb(slot) for slot in able)
        return f"asks more memory ({ask.memory_mb} MB) than {_belong(ask)}: at most {limit} MB"
    return None


def never(ask: Ask, slots: Iterable[Slot]) -> str | None:
    """The same as what can be said of a job: it `asks …`, it `cannot, because …`."""
    reason = impossible(ask, slots)
    return reason if reason is None or reason.startswith("asks") else f"cannot, because {reason}"


def _belong(ask: Ask) -> str:
    if not ask.wants:
        return "a slot without devices has"
    return f"belong to the share of {plural(ask.device_count, 'device')}"


def _no_such_devices(ask: Ask, slots: list[Slot]) -> str:
    for want in ask.wants:
        most = max(sum(want.takes(device) for device in slot.devices) for slot in slots)
        if most == 0:
            known = {device.model for slot in slots for device in slot.devices if device.kind is want.kind}
            models = f"the pool's {want.kind.word} models are {listed(sorted(known))}"
            return f"asks {want.words}, but no node has one: {models}"
        if most < want.count:
            return f"asks {want.words}, but the pool's nodes have at most {most} together"
    return f"asks {listed(want.words for want in ask.wants)}, but no slot has them together: ask for one kind of device"


def _no_such_images(ask: Ask, slots: list[Slot]) -> str:
    """`slots` have what else it asks."""
    if ask.image is ImageKind.DOCKER:
        return "asks for Docker, which no node has: write `universe = container` and `container_image = docker://…`"
    others = sorted({kind.words for slot in slots for kind in slot.images})
    if ask.image is None or not others:
        return (
            "asks to run in an image, but no node with what else it asks can run one: that takes Apptainer and user "
            "namespaces there. Without an image it would run on the node itself"
        )
    cure = ": `apptainer build --sandbox FOLDER FILE.sif` makes a folder of it" if ask.image is ImageKind.FILE else ""
    return f"asks to run in an image that comes as {ask.image.words}, but the nodes take {listed(others)}{cure}"
