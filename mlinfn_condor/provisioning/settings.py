"""Settings of provisioning: one TOML file that says what a site may ask for, how much of it, and how patiently."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor import settings_file
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind

KindName = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$")]
"""Part of a pod's name: small letters, digits and `-`."""
Count = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class KindSettings(_Section):
    """`[kinds.NAME]`: one kind of node; what is not said is as in NodeKind."""

    cpus: int = Field(ge=1)
    """Cores of one node."""
    memory_mb: int = Field(ge=1024)
    """Memory of one node."""
    device_kind: DeviceKind | None = None
    """`gpu` or `fpga`; nothing for a node without devices."""
    model: str = ""
    """As nodes advertise it in DeviceModel."""
    devices: Count = 0
    """Of that model, on one node."""
    owner_project: str = ""
    """Who paid for it: served first, by this kind first."""
    pledged: bool = True
    """False: opportunistic. Taken last, and given back after `intervals.opportunistic_idle_seconds`."""
    least: Count = 0
    """Nodes kept warm. A session that comes then waits for no start of a node, which takes minutes."""
    most: Count
    """Nodes at once. It has no default: what a site can spare is for the site to say."""
    properties: dict[str, str | int | float | bool] = {}
    """Of its devices, for jobs that wish for more than a model: `GlobalMemoryMb = 40960`. Known anyway once one ran."""

    @model_validator(mode="after")
    def _makes_sense(self) -> Self:
        if mistakes := list(self._mistakes()):
            raise ValueError("; ".join(mistakes))
        return self

    def _mistakes(self) -> Iterator[str]:
        if self.least > self.most:
            yield f"least ({self.least}) is above most ({self.most})"
        said = {"device_kind": self.device_kind, "model": self.model, "devices": self.devices}
        if missing := [name for name, value in said.items() if not value]:
            if len(missing) < len(said):
                yield f"{' and '.join(missing)} missing: devices need a kind, a model and a count"
            elif self.properties:
                yield "properties are those of devices, and it has none"

    def named(self, name: str) -> NodeKind:
        """As the planner knows it."""
        fields = {field: getattr(self, field) for field in type(self).model_fields}
        return NodeKind(name, **fields | {"properties": tuple(sorted(self.properties.items()))})


class Limits(_Section):
    """`[limits]`: of all kinds together, whatever the demand; what is not said is not limited."""

    glideins: Count | None = None
    """All nodes at once."""
    cpus: Count | None = None
    """Cores of all nodes at once: the namespace's quota."""
    memory_mb: Count | None = None
    """Memory of all nodes at once: the namespace's quota."""
    devices: dict[str, Count] = {}
    """By model: devices of all nodes at once. What the site was granted, or what it pays for."""
    owners: dict[str, Count] = {}
    """By owner_project: nodes of its kinds at once."""
    projects: dict[str, Count] = {}
    """By project: devices that its jobs have, or are about to have, from which on they ask for no more nodes."""
    starts: int = Field(default=20, ge=1)
    """Nodes that may be starting at once: a wrong setting costs no more, registry and autoscaler breathe."""


class Intervals(_Section):
    """`[intervals]`: all in seconds."""

    loop_seconds: float = Field(default=5, ge=1)
    """Between two looks at queue, slots and nodes: what a job waits at most until somebody asks for its node."""
    idle_seconds: float = Field(default=300, ge=10)
    """How long a node stays when nobody is on it. Below five minutes it costs more image pulls than it saves."""
    opportunistic_idle_seconds: float = Field(default=60, ge=0)
    """The same for opportunistic nodes: somebody else waits for them."""
    withdraw_seconds: float = Field(default=60, ge=0)
    """Age from which a node that did not start yet is given up when nobody needs it any longer: demand flickers."""
    start_seconds: float = Field(default=1200, ge=30)
    """How long a node may be asked for in vain until another kind is tried: machines take ten minutes in a cloud."""
    join_seconds: float = Field(default=180, ge=10)
    """How long a node that runs may be unknown to the collector: as long as the collector keeps a dead one's slots."""
    report_seconds: float = Field(default=60, ge=1)
    """As the pool's MLINFN_SLOT_REPORT_SECONDS: until then a restarted collector knows too little."""


class Settings(_Section):
    """All of it."""

    backend: Literal["local", "manual", "kubernetes"] = "local"
    """Who provides nodes: processes of this machine (the embedded pool's alone), an administrator, a cluster."""
    folder: Path = Path("/var/lib/mlinfn/provisioning")
    """Where the provisioner keeps its journal, what it tells the negotiator, and requests to the administrator. The
    embedded pool has folders of its own."""
    collector: str = ""
    """`HOST:PORT` that glideins report to; empty: the pool's own COLLECTOR_HOST."""
    kubernetes: KubernetesSite | None = None
    """Which cluster, and how; needed by the back end `kubernetes`."""
    kinds: dict[KindName, KindSettings] = Field(min_length=1)
    limits: Limits = Limits()
    intervals: Intervals = Intervals()

    @property
    def _lacks_cluster(self) -> bool:
        return self.backend == "kubernetes" and self.kubernetes is None

    @property
    def node_kinds(self) -> tuple[NodeKind, ...]:
        """The kinds, by name."""
        return tuple(kind.named(name) for name, kind in sorted(self.kinds.items()))

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        known = {
            "devices": ({kind.model for kind in self.kinds.values()}, "has this model"),
            "owners": ({kind.owner_project for kind in self.kinds.values()}, "has this owner_project"),
        }
        missing = ["backend: kubernetes needs the table [kubernetes]"] if self._lacks_cluster else []
        mistakes = missing + [
            f"limits.{table}.{name}: no kind {has}"
            for table, (names, has) in known.items()
            for name in sorted(set(getattr(self.limits, table)) - names)
        ]
        if self.intervals.join_seconds < self.intervals.report_seconds:
            mistakes.append("intervals.join_seconds is below report_seconds: sound nodes would count as lost")
        if mistakes:
            raise ValueError("; ".join(mistakes))
        return self


def read(path: Path) -> Settings:
    """The settings in this file. Raises BadRequest with every mistake and its place."""
    return settings_file.read(path, Settings)
