"""A contracts file: TOML, one table for each kind of promise."""

from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor import settings_file
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.hours import Days, Hours

Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_-]{0,31}$")]
"""A project or a node: part of an accounting group, or of a slot's name."""
Model = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
"""As nodes advertise it in DeviceModel."""
DeviceId = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$")]
Count = Annotated[int, Field(ge=0)]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class NodeDevices(_Section):
    """`[pool.nodes.NAME]`: devices of one node."""

    cpus: Count = 0
    """Cores that dask and batch may have without a device; for the check of pledges in cores."""
    gpus: dict[Model, Count] = {}
    """By model, how many."""
    fpgas: dict[Model, Count] = {}
    """By model, how many."""

    @property
    def devices(self) -> dict[str, int]:
        """By model."""
        return {**self.gpus, **self.fpgas}


class PoolSettings(_Section):
    """`[pool]`: what there is to promise."""

    projects: list[Name] = Field(min_length=1)
    """Projects of the site; whoever submits belongs to one of them."""
    nodes: dict[Name, NodeDevices] = Field(min_length=1)
    """Nodes that are there for good, by name. Those that come with demand promise nothing."""

    @property
    def models(self) -> dict[str, Literal["GPUs", "FPGAs"]]:
        """Every model, by name, with its resource tag."""
        found: dict[str, Literal["GPUs", "FPGAs"]] = {}
        for node in self.nodes.values():
            found |= dict.fromkeys(node.gpus, "GPUs")
            found |= dict.fromkeys(node.fpgas, "FPGAs")
        return dict(sorted(found.items()))

    def count(self, model: str) -> int:
        """Devices of a model in the pool."""
        return sum(node.devices.get(model, 0) for node in self.nodes.values())


class Pledge(_Section):
    """`[pledges.CLASS] PROJECT = {devices = …, cpus = …}`: what a project is served first up to, and gets back."""

    devices: Count = 0
    """Of any model. A pledge of certain devices is an `[owners]` entry: HTCondor's quotas know no models."""
    cpus: Count = 0
    """Cores without a device."""


class Owner(_Section):
    """`[owners.PROJECT]`: devices on which a project comes first, whatever the class."""

    devices: list[DeviceId] = []
    """By id, as `condor_status -af AssignedGPUs` shows them."""
    nodes: list[Name] = []
    """All devices of these nodes."""


class Headroom(_Section):
    """`[[headroom]]`: devices of a model that batch leaves free, for sessions that are about to come."""

    model: Model
    """Of the devices that are left free."""
    free: int = Field(ge=1)
    """How many, in the whole pool; shared out over its nodes."""
    hours: Hours = "0-24"
    """Hours of the day, by the nodes' clock: `8-20`. A night, `22-6`, belongs to the day on which it begins."""
    days: Days = "sun-sat"
    """Days of the week: `mon-fri`."""


class Window(_Section):
    """`[[windows]]`: hours in which batch gets nothing of some models, or only up to so many devices in use."""

    models: list[Model] = Field(min_length=1)
    """Of the devices that batch does not get."""
    at_most: Count = 0
    """Devices of each model, in use by anybody, up to which batch still starts; 0: closed."""
    hours: Hours
    """Hours of the day, by the nodes' clock: `22-6` belongs to the day on which it begins."""
    days: Days = "sun-sat"
    """Days of the week: `mon-fri`."""
    running: Literal["stays", "leaves"] = "stays"
    """What becomes of batch that runs when a closed window begins; who leaves has his checkpoint window."""

    @model_validator(mode="after")
    def _leaves_only_where_closed(self) -> Self:
        if self.running == "leaves" and self.at_most:
            raise ValueError(f'running = "leaves" needs a closed window, and at_most is {self.at_most}')
        return self


class ContractLimits(_Section):
    """`[limits]`: of dask and batch; what is not said is not limited."""

    devices_per_user: Count = 0
    """Running devices of each user at once; 0: as many as there are."""
    devices_per_project: Count = 0
    """Running devices of each project at once; 0: as many as there are."""
    users: dict[Name, Count] = {}
    """Running devices of single users, instead of devices_per_user."""
    projects: dict[Name, Count] = {}
    """Running devices of single projects, instead of devices_per_project."""
    jobs_per_user: int | None = Field(default=None, ge=1)
    """Jobs in the queue at once, idle and running."""
    hours_per_job: Count = 0
    """Of one attempt; who runs longer is put on hold."""


class Contracts(_Section):
    """All of it."""

    pool: PoolSettings
    pledges: dict[PriorityClass, dict[Name, Pledge]] = {}
    owners: dict[Name, Owner] = {}
    headroom: list[Headroom] = []
    windows: list[Window] = []
    limits: ContractLimits = ContractLimits()

    @model_validator(mode="after")
    def _can_be_kept(self) -> Self:
        from mlinfn_condor.contracts.promises import mistakes

        if found := list(mistakes(self)):
            raise ValueError("\n".join(found))
        return self


def parse(text: str, source: str) -> Contracts:
    """The contracts in this text. Raises BadRequest with every mistake and its place, a line each."""
    return settings_file.parse(text, source, Contracts)


def read(path: Path) -> Contracts:
    """The contracts in this file. Raises BadRequest."""
    return settings_file.read(path, Contracts)
