"""A server (VM or bare metal) as OpenStack tells it, and what that means for an inventory."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

HOLDS_NOTHING = frozenset({"SHELVED_OFFLOADED"})
"""Status of servers that have given devices, cores and memory back. One that is only stopped keeps them."""
SHORT_ID = 8


@dataclass(frozen=True)
class Server:
    """Moments in UTC. `launched` None: it never ran, so nothing was granted; `ended` None: it is there."""

    id: str
    name: str
    project: str
    project_name: str
    status: str
    created: datetime
    launched: datetime | None
    ended: datetime | None
    cpus: int
    memory_mb: int
    extra_specs: Mapping[str, str]
    metadata: Mapping[str, str]

    @property
    def holds(self) -> bool:
        """Whether it has, or had until it ended, what its flavor says."""
        return self.launched is not None and self.status not in HOLDS_NOTHING

    @property
    def label(self) -> str:
        """Its name in the inventory: names alone need not be unique in a cloud."""
        return f"{self.name}@{mark(self.id)}"


def mark(server_id: str) -> str:
    """What stays of a server's id in its label."""
    return server_id[:SHORT_ID]


def mark_of(label: str) -> str:
    """The same, of a label."""
    return label.rpartition("@")[2]
