"""Which devices the pool had lately: a node that is down reports nothing, and its devices are missed, not forgotten.

Pure: the state goes in and comes out, and whoever looks at the pool keeps it.
"""

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from mlinfn_condor.pool import Device, DeviceKind, ads
from mlinfn_condor.submission.snapshot import Snapshot

DAY_SECONDS = 86400
KEEP_DAYS = 14
"""A node in repair is offline for days; one that is not back after two weeks has left the pool."""


@dataclass(frozen=True)
class Seen:
    """A device, and when a node last reported it."""

    node: str
    kind: DeviceKind
    model: str
    id: str
    simulated: bool
    last_seen: int
    """Epoch seconds."""

    @property
    def device(self) -> Device:
        """The device, without the properties that only its node tells."""
        return Device(self.kind, self.model, self.id, self.simulated)


@dataclass(frozen=True)
class Inventory:
    """Devices by node and id, each once."""

    seen: tuple[Seen, ...] = ()

    def missing(self, snapshot: Snapshot) -> tuple[Seen, ...]:
        """Devices that the snapshot's slots no longer tell of."""
        reported = {(slot.node, device.id) for slot in snapshot.slots for device in slot.devices}
        return tuple(one for one in self.seen if (one.node, one.id) not in reported)

    def to_json(self) -> str:
        """Text that `from_json` reads."""
        return json.dumps([asdict(one) for one in self.seen], indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str) -> "Inventory":
        """What is no inventory gives an empty one: the pool fills it again, and no hub stays down for it."""
        try:
            return cls(tuple(_seen(one) for one in json.loads(text)))
        except (ValueError, TypeError, KeyError, RecursionError):
            return cls()


def remember(before: Inventory, snapshot: Snapshot, keep_days: float = KEEP_DAYS) -> Inventory:
    """What is known after one more look at the pool; devices that nobody reported for `keep_days` are forgotten."""
    known = {(one.node, one.id): one for one in before.seen}
    known |= {(one.node, one.id): one for one in _reported(snapshot)}
    oldest = snapshot.now - keep_days * DAY_SECONDS
    kept = [one for one in known.values() if one.last_seen >= oldest]
    return Inventory(tuple(sorted(kept, key=lambda one: (one.node, one.kind, one.model, one.id))))


def _reported(snapshot: Snapshot) -> Iterable[Seen]:
    # A glidein that has left is not down: nobody misses its devices.
    staying = [slot for slot in snapshot.slots if not ads.text(slot.ad, "MlinfnGlidein")]
    devices = {(slot.node, device) for slot in staying for device in slot.devices}
    return (Seen(node, one.kind, one.model, one.id, one.simulated, snapshot.now) for node, one in devices)


def _seen(told: dict[str, object]) -> Seen:
    last_seen = told["last_seen"]
    if not isinstance(last_seen, int):
        raise TypeError("last_seen is no time")
    kind = DeviceKind(str(told["kind"]))
    return Seen(str(told["node"]), kind, str(told["model"]), str(told["id"]), told["simulated"] is True, last_seen)
