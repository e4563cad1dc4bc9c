"""What the pool has now, device model by device model: pure, from a snapshot and from what was seen before.

Invariant: of each model, free + reclaimable + sessions + offline = total, and each device counts once.
"""

import sys
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from mlinfn_condor.hub.page.inventory import Inventory
from mlinfn_condor.pool import Device, DeviceKind, Slot, ads
from mlinfn_condor.submission.devices import HeldDevice, held_devices
from mlinfn_condor.submission.requests import Devices
from mlinfn_condor.submission.snapshot import Snapshot

BARE_CPUS = 2
"""Cores offered to a session without a device: a notebook and something beside it. Its slot is shared by many."""


@dataclass(frozen=True)
class Shape:
    """Cores and memory of a session: what suits it, and the most it may have."""

    cpus: int
    memory_mb: int
    max_cpus: int
    max_memory_mb: int

    def times(self, count: int) -> "Shape":
        """The shape of a session with so many devices; each brings its share."""
        return Shape(self.cpus * count, self.memory_mb * count, self.max_cpus * count, self.max_memory_mb * count)

    def within(self, cpus: int, memory_mb: int) -> "Shape":
        """The shape, cut where it would pass these bounds."""
        return Shape(
            min(self.cpus, cpus),
            min(self.memory_mb, memory_mb),
            min(self.max_cpus, cpus),
            min(self.max_memory_mb, memory_mb),
        )


UNKNOWN_SHAPE = Shape(1, 2048, 1, 2048)
"""What is asked for while nobody can say what there is: every node has so much."""


@dataclass(frozen=True)
class Offer:
    """Devices of one model."""

    kind: DeviceKind
    model: str
    simulated: bool
    free: int
    reclaimable: int
    """Held by dask or batch, which give way to a session."""
    sessions: int
    """Held by sessions; during a hand-over too, for the device is promised."""
    offline: int
    """On a node that is down, is being drained, or has taken the device out of service."""
    most_together: int
    """The most that one session can have, all of them being free; 0: no node that is up or can be added has one."""
    shape: Shape
    """For each device."""

    @property
    def total(self) -> int:
        """All of them."""
        return self.free + self.reclaimable + self.sessions + self.offline

    @property
    def label(self) -> str:
        """The model as every place that shows it must write it."""
        return f"{self.model} (simulated)" if self.simulated else self.model


@dataclass(frozen=True)
class Offers:
    """Everything a person may choose from."""

    models: tuple[Offer, ...]
    bare: Shape
    """A session without a device."""
    most_cpus: int = sys.maxsize
    """The site's bound on one session, whatever the node could give."""
    most_memory_mb: int = sys.maxsize

    def find(self, kind: DeviceKind, model: str | None) -> Offer | None:
        """The offer of a model; None where it is not known, or none was named."""
        return next((offer for offer in self.models if (offer.kind, offer.model) == (kind, model)), None)

    def shape(self, devices: Devices) -> Shape:
        """What suits a session with these devices, and the most that it may have."""
        offer = self.find(devices.kind, devices.model)
        whole = offer.shape.times(devices.count) if offer else UNKNOWN_SHAPE
        return (whole if devices.count else self.bare).within(self.most_cpus, self.most_memory_mb)


NOTHING = Offers((), UNKNOWN_SHAPE)
"""What there is to choose from while the pool does not answer."""


def offers(
    snapshot: Snapshot, inventory: Inventory, most_cpus: int = sys.maxsize, most_memory_mb: int = sys.maxsize
) -> Offers:
    """Models by kind and name, and what a session without a device can have; no session more than the site's most."""
    counts: dict[tuple[DeviceKind, str, bool], Counter[str]] = {}
    closed = out_of_service(snapshot.slots)
    for held in held_devices(snapshot.slots):
        counts.setdefault(_model(held.device), Counter())[_standing(held, closed)] += 1
    for missing in inventory.missing(snapshot):
        counts.setdefault(_model(missing.device), Counter())["offline"] += 1
    for device in (device for slot in snapshot.promised for device in slot.devices):
        counts.setdefault(_model(device), Counter())
    slots = (*snapshot.slots, *snapshot.promised)
    primary = [slot for slot in slots if slot.partitionable and slot.offer == "session"]
    models = tuple(_offer(*model, count, primary) for model, count in sorted(counts.items(), key=_gpus_first))
    return Offers(models, _bare([slot for slot in primary if not slot.devices]), most_cpus, most_memory_mb)


def out_of_service(slots: Iterable[Slot]) -> frozenset[tuple[str, str]]:
    """Devices, as (node, id), that take nobody new: their node drains, or has switched them off."""
    return frozenset(
        (slot.node, device.id)
        for slot in slots
        for device in slot.devices
        if draining(slot) or device.id in _switched_off(slot)
    )


def draining(slot: Slot) -> bool:
    """Whether condor_drain closed its node."""
    return slot.ad.get("Draining") is True or ads.text(slot.ad, "State") == "Drained"


def _switched_off(slot: Slot) -> set[str]:
    # HTCondor's manual has a list with spaces, its startd writes commas.
    told = (ads.text(slot.ad, f"Offline{kind.resource}") for kind in DeviceKind)
    return {name for text in told for name in text.replace(",", " ").split()}


def _model(device: Device) -> tuple[DeviceKind, str, bool]:
    return device.kind, device.model, device.simulated


def _gpus_first(item: tuple[tuple[DeviceKind, str, bool], Counter[str]]) -> tuple[int, str, bool]:
    (kind, model, simulated), _ = item
    return list(DeviceKind).index(kind), model, simulated


def _standing(held: HeldDevice, closed: frozenset[tuple[str, str]]) -> str:
    if held.session:
        return "sessions"
    if (held.node, held.device.id) in closed:
        return "offline"
    return "reclaimable" if held.work else "free"


def _offer(kind: DeviceKind, model: str, simulated: bool, counts: Counter[str], primary: list[Slot]) -> Offer:
    having = [
        (slot, number)
        for slot in primary
        if (number := sum(_model(device) == (kind, model, simulated) for device in slot.devices))
    ]
    # The smallest share suits every node that has the model; the largest is what one of them could give.
    cpus = [slot.device_cpus or slot.total_cpus // number for slot, number in having]
    memory = [slot.device_memory_mb or slot.total_memory_mb // number for slot, number in having]
    shape = Shape(min(cpus), min(memory), max(cpus), max(memory)) if having else UNKNOWN_SHAPE
    return Offer(
        kind=kind,
        model=model,
        simulated=simulated,
        free=counts["free"],
        reclaimable=counts["reclaimable"],
        sessions=counts["sessions"],
        offline=counts["offline"],
        most_together=max((number for slot, number in having if not draining(slot)), default=0),
        shape=shape,
    )


def _bare(slots: list[Slot]) -> Shape:
    if not slots:
        return UNKNOWN_SHAPE
    max_cpus = max(slot.total_cpus for slot in slots)
    max_memory_mb = max(slot.total_memory_mb for slot in slots)
    cpus = min(BARE_CPUS, max_cpus)
    return Shape(cpus, max_memory_mb * cpus // max(1, max_cpus), max_cpus, max_memory_mb)
