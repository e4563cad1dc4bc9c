"""What the names of a cloud mean at this site: a TOML file that the site writes."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from mlinfn_condor import settings_file
from mlinfn_condor.accounting.inventory.rows import MOST_DEVICES, InventoryWrong
from mlinfn_condor.errors import BadRequest


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


def _short_for(name: str) -> BeforeValidator:
    return BeforeValidator(lambda value: {name: value} if isinstance(value, str) else value)


class Device(_Strict):
    """What one of OpenStack's devices is. An empty model: no accelerator, and nothing to account for."""

    model: str
    """As reports call it."""
    kind: Literal["gpu", "fpga"] = "gpu"
    """Of the accelerator."""
    count: int = Field(default=1, ge=1, le=MOST_DEVICES)
    """How many of them one such device is."""
    owner_project: str = ""
    """The project that paid for it; empty: the platform."""


class Project(_Strict):
    """Who has the servers of an OpenStack project for itself; empty: nobody, they are the platform's own."""

    given_to: str
    """Project here; empty: the platform itself."""
    owner_project: str = ""
    """The project that paid for what is in it; empty: the platform."""


class Keys(_Strict):
    """Keys of a server's metadata that say the same for this server; empty: not looked at.

    Whoever may change a server may change its metadata, and so who it is charged to.
    """

    given_to: str = ""
    """Key whose value is the project that has the server."""
    owner_project: str = ""
    """Key whose value is the project that paid for it."""


class Meaning(_Strict):
    """The whole file. A project that it does not name has OpenStack's own name."""

    devices: dict[str, Annotated[Device, _short_for("model")]] = Field(default_factory=dict)
    projects: dict[str, Annotated[Project, _short_for("given_to")]] = Field(default_factory=dict)
    metadata: Keys = Keys()


def read(path: Path | None) -> Meaning:
    """Raises InventoryWrong with every mistake and its place in the file."""
    if path is None:
        return Meaning()
    try:
        return settings_file.read(path, Meaning)
    except BadRequest as error:
        raise InventoryWrong(f"nothing was imported: {error}") from error
