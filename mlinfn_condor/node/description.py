"""What a node offers, kept as a small JSON file beside its startd: the inventory script and the slot layout read it."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mlinfn_condor.node.devices import Device


@dataclass(frozen=True)
class Node:
    """An execution point: a name, and what it has to give."""

    name: str
    cpus: int
    memory_mb: int
    devices: tuple[Device, ...] = ()
    stands_for: str = ""
    """Set when the numbers are those of another machine than the one the startd runs on; shown wherever the node is."""

    def write(self, path: Path) -> None:
        """Write the description for the startd's inventory script."""
        path.write_text(json.dumps(asdict(self), indent=1) + "\n")

    @classmethod
    def read(cls, path: Path) -> "Node":
        """Read what `write` wrote."""
        fields = json.loads(path.read_text())
        return cls(**{**fields, "devices": tuple(Device(**device) for device in fields["devices"])})
