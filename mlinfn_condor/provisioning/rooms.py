"""What nodes have: read from the slots of those that report, reckoned by the policy for those to come."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from mlinfn_condor.pool import Device, Slot, ads
from mlinfn_condor.provisioning.bins import LEAVING, Bare, Bin, Devices, Load, Model, Share, rank
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.submission.devices import HeldDevice, held_devices


class Lane(StrEnum):
    """The bins of a node; nothing flows between them."""

    DEVICES = "devices"
    SESSION = "session"
    """Sessions without a device."""
    WORK = "work"
    """Dask and batch without a device."""


_WITHDRAWN = ("MlinfnBrokenDevices", "OfflineGPUs", "OfflineFPGAs")

Room = Mapping[Lane, Bin]
"""What there is of each."""


def lane_of(load: Load) -> Lane:
    """Where it goes."""
    if load.wants:
        return Lane.DEVICES
    return Lane.SESSION if load.session else Lane.WORK


@dataclass(frozen=True)
class Portions:
    """How the pool shares a node out: numbers of condor_config.d/00, which 61 puts together."""

    bare_percent: int
    """MLINFN_BARE_PERCENT."""
    reserve_mb: int
    """MLINFN_HANDOVER_RESERVE_MB, a device."""

    def room(self, kind: NodeKind) -> Room:
        """A node of the kind when nobody is on it, by 61-size-slots.conf: whole numbers, memory in steps of 128 MB."""
        percent = self.bare_percent if kind.devices else 50
        bare = Bare(max(1, kind.cpus * percent // 100), kind.memory_mb * percent // 100 // 128 * 128)
        room: dict[Lane, Bin] = {Lane.SESSION: bare, Lane.WORK: bare}
        if kind.devices and kind.device_kind:
            cpus = max(1, (kind.cpus - 2 * bare.cpus) // kind.devices)
            memory = ((kind.memory_mb - 2 * bare.memory_mb) // kind.devices - self.reserve_mb) // 128 * 128
            model = Model(kind.device_kind, kind.model)
            room[Lane.DEVICES] = Devices((Share(model, kind.devices),), cpus, memory, kind.owner_project)
        return room


@dataclass(frozen=True)
class Node:
    """A node that reports to the collector."""

    name: str
    left: Room
    whole: Room
    """As if nobody were on it."""
    busy: bool
    """Whether somebody has a slot of it."""
    uid: str
    """The life of the glidein whose slots these are; empty: not a glidein, or one that does not say."""
    devices: tuple[Device, ...] = ()


def read(slots: Iterable[Slot]) -> dict[str, Node]:
    """The nodes, by name, that these slots belong to."""
    by_node: dict[str, list[Slot]] = defaultdict(list)
    for slot in slots:
        by_node[slot.node].append(slot)
    return {name: _node(name, by_node[name]) for name in sorted(by_node)}


def _node(name: str, slots: list[Slot]) -> Node:
    left: dict[Lane, Bin] = {}
    whole: dict[Lane, Bin] = {}
    held = held_devices(slots)
    for slot in slots:
        if not slot.partitionable:
            continue
        if slot.offer == "opportunistic":
            left[Lane.DEVICES], whole[Lane.DEVICES] = _devices(slot, held)
        elif slot.offer in (Lane.SESSION, Lane.WORK) and not slot.assigned:
            left[Lane(slot.offer)] = Bare(slot.cpus, slot.memory_mb)
            whole[Lane(slot.offer)] = Bare(slot.total_cpus, slot.total_memory_mb)
    uid = next((uid for slot in slots if (uid := ads.text(slot.ad, "MlinfnGlideinUid"))), "")
    known = tuple(one.device for one in held)
    return Node(name, left, whole, any(slot.claimed for slot in slots), uid, known)


def _devices(slot: Slot, held: list[HeldDevice]) -> tuple[Devices, Devices]:
    """Of the backfill slot, which has all devices of the node: what sessions leave of them, and all."""
    broken = {name for listed in _WITHDRAWN for name in ads.names(slot.ad, listed)}
    sound = [one for one in held if one.device.id not in broken]
    unused = Counter(_model(one) for one in sound if not one.session and not one.work)
    payloads = _payloads(sound, slot.owner_project)
    everything = sorted(Counter(map(_model, sound)).items())
    shares = tuple(
        Share(model, unused[model], tuple(sorted(one[1:] for one in payloads if one[0] == model)))
        for model, _ in everything
    )
    cpus, memory = slot.device_cpus or slot.total_cpus, slot.device_memory_mb or slot.total_memory_mb
    whole = Devices(tuple(Share(*each) for each in everything), cpus, memory, slot.owner_project)
    return replace(whole, shares=shares), whole


def _payloads(held: list[HeldDevice], owner_project: str) -> list[tuple[Model, int, int]]:
    """Model, rank and devices of each dask or batch job, devices not counted that a session took from it."""
    ousted = {one.work.name for one in held if one.session and one.work}
    counts: Counter[str] = Counter()
    found: dict[str, tuple[Model, int]] = {}
    for one in held:
        if one.work and not one.session:
            counts[one.work.name] += 1
            gone = one.work.leaving or one.work.name in ousted
            theirs = LEAVING if gone else rank(one.work.priority_class, one.work.project, owner_project)
            found.setdefault(one.work.name, (_model(one), theirs))
    return [(model, theirs, counts[name]) for name, (model, theirs) in found.items()]


def _model(one: HeldDevice) -> Model:
    return Model(one.device.kind, one.device.model)
