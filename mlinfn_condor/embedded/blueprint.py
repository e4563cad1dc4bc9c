"""What an embedded pool consists of: its nodes, its people, and what it sets differently from the shipped policy."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.node.description import Node

PEOPLE: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"alice": ("alpha",), "bob": ("beta",), "carol": ("alpha", "beta")}
)
"""Identities of the embedded pool and their projects, the first being the default one."""

ADMINISTRATOR = "admin"
"""Identity that may act on everybody's jobs; the policy's MLINFN_ADMINISTRATORS names the same."""

HUB = "hub"
"""Identity that submits sessions in the name of those who signed in; the policy's MLINFN_HUBS names the same."""

GLIDEIN = "glidein"
"""Identity of nodes from outside, which may only advertise slots; the policy's MLINFN_GLIDEINS names the same."""


@dataclass(frozen=True)
class Blueprint:
    """A pool to be brought up."""

    nodes: tuple[Node, ...] = (SERVER1, SERVER2)
    people: Mapping[str, tuple[str, ...]] = field(default_factory=lambda: PEOPLE)
    use_real_devices: bool = True
    """Whether this machine's own devices take the place of simulated ones."""
    overrides: str = ""
    """HTCondor configuration that comes last."""

    @property
    def projects(self) -> list[str]:
        """Every project that somebody is a member of."""
        return sorted({project for projects in self.people.values() for project in projects})

    @property
    def first_user(self) -> str:
        """The identity that commands use when none is named."""
        return next(iter(self.people))
