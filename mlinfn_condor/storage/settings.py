"""What a site says of its homes: section `[storage]` of a TOML file."""

from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class NfsSettings(BaseModel):
    """The export that homes and projects lie on."""

    model_config = ConfigDict(extra="forbid")

    server: str = Field(pattern=r"^[A-Za-z0-9.:-]+$")
    """Name or address."""
    export: str = Field(pattern=r"^/[A-Za-z0-9._/-]*$")
    """What it exports: `/export/bari`."""
    version: Literal["4", "4.1", "4.2"] = "4.2"
    """Of the protocol."""
    cache: bool = True
    """Let the node keep what it read on its own disk (FS-Cache; the node runs cachefilesd)."""
    connections: int = Field(default=4, ge=1, le=16)
    """TCP connections of a node to the server."""

    @property
    def source(self) -> str:
        """What is mounted."""
        return f"[{self.server}]:{self.export}" if self.server.count(":") > 1 else f"{self.server}:{self.export}"

    @property
    def options(self) -> str:
        """`hard`: a server that is away makes programs wait, and never lose what they wrote."""
        told = [f"vers={self.version}", "hard", "proto=tcp", f"nconnect={self.connections}"]
        return ",".join([*told, "nosuid", "nodev", "noatime", *(["fsc"] if self.cache else [])])


class StorageSettings(BaseModel):
    """Where homes and project folders lie."""

    model_config = ConfigDict(extra="forbid")

    provider: Literal["local", "nfs"] = "local"
    """`local`: a disk of this machine; `nfs`: an export that all nodes mount."""
    root: Path | None = None
    """Holds `homes/` and `projects/`; with `nfs` the export is mounted there. None: the embedded pool's folder."""
    nfs: NfsSettings | None = None

    @model_validator(mode="after")
    def _fits(self) -> "StorageSettings":
        if self.root is not None and not self.root.is_absolute():
            raise ValueError(f"root {self.root} is no absolute path")
        if self.provider == "nfs" and (self.nfs is None or self.root is None):
            raise ValueError("provider nfs needs root, and a section [storage.nfs] with server and export")
        if self.provider == "local" and self.nfs is not None:
            raise ValueError('[storage.nfs] is said and the provider is local: say provider = "nfs", or remove it')
        return self
