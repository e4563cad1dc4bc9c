"""What users ask for, checked before it reaches the pool: every mistake at once, each with its cure.

Only what no pool could take is refused here. How much a user may have is the pool's policy: its access points say so.
"""

import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, ClassVar

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import DeviceKind, language


def _plain(text: str) -> str:
    if complaint := language.complaint(text):
        raise ValueError(complaint)
    return text


def _existing_folder(folder: Path) -> Path:
    folder = folder.expanduser().absolute()
    _plain(str(folder))
    if "'" in str(folder) or '"' in str(folder):
        raise ValueError("it has a quotation mark, which HTCondor would not pass on: rename the folder")
    try:
        found = stat.S_ISDIR(folder.stat().st_mode)
    except PermissionError:
        found = True  # In somebody's home. Whoever declares work for others need not be let in.
    except OSError:
        found = False
    if not found:
        raise ValueError("it is no folder: make it first, where the nodes see it too")
    return folder


PlainText = Annotated[str, AfterValidator(_plain)]
Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]*$")]
Identity = Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_.-]{0,31}$")]
"""A name that HTCondor takes as Owner and a node as a user of its own."""
IpAddress = Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+$")]
Image = Annotated[PlainText, Field(pattern=r"^[^\s'\"]+$")]
"""A container: a path that the nodes see, `docker://…`, or a .sif file."""
Folder = Annotated[Path, AfterValidator(_existing_folder)]
Words = Annotated[list[PlainText], Field(min_length=1)]
Address = Annotated[PlainText, Field(pattern=r"^[a-z]+://[^\s'\"]+$")]


class _Checked(BaseModel):
    """A model whose mistakes come as one BadRequest."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    def __init__(self, **values: Any) -> None:
        try:
            super().__init__(**values)
        except ValidationError as error:
            raise BadRequest("; ".join(_sentence(mistake) for mistake in error.errors())) from error


class Devices(BaseModel):
    """Accelerators: so many of one kind, of one model or of any."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    count: int = Field(default=0, ge=0)
    kind: DeviceKind = DeviceKind.GPU
    model: Name | None = None
    """As nodes advertise it in DeviceModel: T4, A100, U250."""

    def parameters(self) -> dict[str, str]:
        """Macros of the submit templates."""
        if not self.count:
            return {}
        return {f"{self.kind.value}s": str(self.count)} | ({"model": self.model} if self.model else {})


class Request(_Checked):
    """What every class of job asks for."""

    template: ClassVar[str]
    priority_class: ClassVar[PriorityClass]

    cpus: int = Field(default=1, ge=1)
    memory_mb: int = Field(default=2048, ge=1)
    disk_mb: int = Field(default=100, ge=1)
    devices: Devices = Devices()
    project: Name | None = None
    """Project to account the job on; the user's first when not given."""

    def parameters(self) -> dict[str, str]:
        """Macros of the submit template, exactly what `condor_submit TEMPLATE name=value …` would be given."""
        asked = {"cpus": str(self.cpus), "memory": f"{self.memory_mb}MB", "disk": f"{self.disk_mb}MB"}
        return asked | self.devices.parameters() | ({"project": self.project} if self.project else {})

    def rows(self) -> list[Mapping[str, str]]:
        """One mapping per job when the template's `queue` does not count them itself."""
        return []


class TrainingRequest(Request):
    """Batch training: `count` jobs that run the same command, each in `folder`."""

    template = "training"
    priority_class = PriorityClass.BATCH

    command: Words
    folder: Folder = Field(default_factory=Path.cwd, validate_default=True)
    window_seconds: int | None = Field(default=None, ge=0)
    """How long it may take to save its state when it is displaced; the pool's default when not given."""
    count: int = Field(default=1, ge=1)
    image: Image | None = None
    """Container to run in; on the node itself when not given."""

    def parameters(self) -> dict[str, str]:
        """See Request."""
        own = {"command": language.arguments(self.command), "folder": str(self.folder)}
        return super().parameters() | own | batch_parameters(self.window_seconds, self.image)

    def rows(self) -> list[Mapping[str, str]]:
        """See Request."""
        return [{"number": str(number)} for number in range(self.count)] if self.count > 1 else []


def batch_parameters(window_seconds: int | None, image: str | None) -> dict[str, str]:
    """Macros that training.sub and sweep.sub have in common, as far as they are given."""
    window = {} if window_seconds is None else {"window": str(window_seconds)}
    return window | ({"image": image} if image else {})


class OnBehalf(BaseModel):
    """A session that a hub starts for one of its users; the access point lets nobody else do that."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    owner: Identity
    home: Folder
    hub: Name
    """Name of the hub, by which it knows its own sessions in the queue."""
    server: Name
    """The hub's name for this server of the user, as a slug."""

    def parameters(self) -> dict[str, str]:
        """Macros of the submit template."""
        return {"owner": self.owner, "home": str(self.home), "hub": self.hub, "server": self.server}


class SessionRequest(Request):
    """A JupyterLab session, which meets its user in `folder`: the token lies there already."""

    template = "session"
    priority_class = PriorityClass.INTERACTIVE

    folder: Folder
    root: Folder | None = None
    """What the file browser shows; the home when not given."""

    on_behalf: OnBehalf | None = None
    """Whose it is, when a hub asks for it."""
    ip: IpAddress = "127.0.0.1"
    """Address that the server listens on."""

    def parameters(self) -> dict[str, str]:
        """See Request."""
        root = {"root": str(self.root)} if self.root else {}
        own = {"folder": str(self.folder), "ip": self.ip}
        return super().parameters() | own | root | (self.on_behalf.parameters() if self.on_behalf else {})


class DaskWorkerRequest(Request):
    """Dask workers for a scheduler that runs already."""

    template = "dask-worker"
    priority_class = PriorityClass.DASK

    scheduler: Address
    """Its address, as `client.scheduler.address` says it: tcp://host:8786."""
    workers: int = Field(default=1, ge=1)
    folder: Folder = Field(default_factory=Path.cwd, validate_default=True)

    def parameters(self) -> dict[str, str]:
        """See Request."""
        own = {"scheduler": self.scheduler, "workers": str(self.workers), "folder": str(self.folder)}
        return super().parameters() | own


CURES = {
    "extra_forbidden": "there is no such parameter",
    "string_pattern_mismatch": "it should have no spaces and quotes, as in A100 or tcp://host:8786",
}


def _sentence(mistake: Any) -> str:
    """`devices.count is -1: it should be …`, in words of ours where pydantic's would not help a user."""
    path = ".".join(str(part) for part in mistake["loc"])
    if mistake["type"] in ("missing", "too_short"):
        return f"{path} is {'missing' if mistake['type'] == 'missing' else 'empty'}"
    cure = CURES.get(mistake["type"]) or mistake["msg"].removeprefix("Value error, ").replace(
        "Input should", "it should"
    )
    return f"{path} is {mistake['input']}: {cure}"
