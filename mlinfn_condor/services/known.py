"""Which services there are. Each is a command that may also be run alone.

The culler is none of them: it acts with a token that JupyterHub issues, to services that the hub itself starts.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mlinfn_condor.errors import UserError


@dataclass(frozen=True)
class Service:
    """One service: its name, and the words after `mlinfn` that run it until SIGTERM."""

    name: str
    words: tuple[str, ...]


SERVICES = (
    Service("recorder", ("accounting", "record")),
    Service("provisioner", ("glidein", "run")),
    Service("schedules", ("schedule", "serve")),
    Service("retention", ("ingest", "retain")),
    Service("backup", ("backup", "serve")),
)
"""In the order of their start. They end the other way round: the recorder last, for it notes what the others do."""


def chosen(names: Iterable[str]) -> tuple[Service, ...]:
    """Those with these names, or all. Raises UserError for a name that is none."""
    wanted = set(names)
    if unknown := wanted - {service.name for service in SERVICES}:
        there = ", ".join(service.name for service in SERVICES)
        raise UserError(f"there is no service {', '.join(sorted(unknown))}: one of {there}")
    return tuple(service for service in SERVICES if service.name in wanted or not wanted)
