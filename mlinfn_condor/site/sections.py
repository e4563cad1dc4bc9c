"""Sections of the site file beside contracts and cluster. Each says what a number is in, and why it is what it is."""

from pathlib import Path
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, ConfigDict, Field, model_validator

from mlinfn_condor.backup.settings import BackupPlan
from mlinfn_condor.contracts.settings import Name
from mlinfn_condor.hub.accounts.openid import OpenId
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.hub.page.limits import Limits
from mlinfn_condor.identity.deciding import HIGHEST
from mlinfn_condor.identity.people import LOWEST
from mlinfn_condor.site.references import SecretReference, Section
from mlinfn_condor.storage.settings import NfsSettings, StorageSettings

Domain = Annotated[str, Field(pattern=r"^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$")]
Address = Annotated[str, Field(pattern=r"^[A-Za-z0-9.-]+:\d{1,5}$")]
"""`HOST:PORT`."""
Size = Annotated[str, Field(pattern=r"^[1-9]\d*(Mi|Gi|Ti)$")]
"""As Kubernetes writes sizes of disks: `100Gi`."""
Network = Annotated[str, Field(pattern=r"^[0-9a-fA-F.:]+/\d{1,3}$")]
"""`192.0.2.0/24`."""
Https = Annotated[str, Field(pattern=r"^https://[^\s/@]+(/\S*)?$")]
"""An address that nobody between can read or change, without a name or password in it."""


def _is_zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ValueError(f"{text!r} is no time zone: write Europe/Rome, or UTC") from error
    return text


class Hosts(Section):
    """`[hosts]`: by which names the site is known."""

    public: Https
    """What users open in their browsers."""
    data: Https | None = None
    """Where instruments send their data, with [ingestion] or database.rest_schemas; none: the site has its own way to
    the Service `rest`."""
    domain: Domain
    """The pool's UID_DOMAIN and TRUST_DOMAIN: part of every identity and token, so it is not changed later."""
    zone: Annotated[str, AfterValidator(_is_zone)] = "UTC"
    """By whose clock nodes reckon hours of contracts (head-room, windows): `Europe/Rome`."""


class Provider(OpenId):
    """`[identity.openid]`: as `[accounts.openid]` of a hub, with the client's secret by reference."""

    client_secret: SecretReference | None = None
    """What the provider gave the client; none for a public client."""

    @model_validator(mode="after")
    def _by_reference(self) -> Self:
        if self.client_secret_file is not None:
            raise ValueError('client_secret_file: here it is client_secret = "SECRET/KEY"')
        return self


OF_IMAGES = (9618, 65534)
"""Numbers of condor and nobody."""


class Identity(Section):
    """`[identity]`: who belongs to the site, and to which project."""

    openid: Provider | None = None
    """The identity provider. Without it people sign in with passwords of the hub's own."""
    members: dict[Name, list[Name]] = Field(default_factory=dict)
    """People and their projects, for sites without a provider, and for people who are not at it."""
    first_number: int = Field(default=20000, ge=LOWEST)
    """People and projects get numbers from here …"""
    last_number: int = Field(default=59999, le=HIGHEST)
    """… to here, each once and for ever. Files carry them: widen it, never move it."""
    keep_days: int = Field(default=180, ge=0)
    """How long the data of somebody who has left stay (days)."""

    @model_validator(mode="after")
    def _a_range(self) -> Self:
        if self.first_number >= self.last_number:
            raise ValueError(f"first_number {self.first_number} is not below last_number {self.last_number}")
        if any(self.first_number <= number <= self.last_number for number in OF_IMAGES):
            raise ValueError(
                f"first_number, last_number: {', '.join(map(str, OF_IMAGES))} are accounts of the platform's images: "
                "begin above them"
            )
        return self

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.openid is None and not self.members:
            raise ValueError("nobody could sign in: give [identity.openid], or people in [identity.members]")
        return self


class Hub(Section):
    """`[hub]`: what people may have at once, and when idle sessions are taken back; as in a hub's own settings."""

    limits: Limits = Limits()
    culling: Rules = Rules()


HOMES = Path("/srv/mlinfn")
"""Where every pod has `homes/` and `projects/`: kubernetes/base mounts them there."""
_EXPORT = "/homes"
"""Of the rendered server."""


class FileServer(Section):
    """`[storage.server]`: an NFS server on a disk of the cluster, rendered where the site has none."""

    address: str = Field(default="", pattern=r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:]*|)$")
    """A free address of the cluster's service network: machines mount it, and they do not know the cluster's names."""
    size: Size = "500Gi"
    """Of its disk."""
    machines: list[Network] = Field(default_factory=list)
    """Networks of the cluster's machines, the only ones that may call it: not the pods', for a program that speaks NFS
    itself could call itself anybody."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.address:
            raise ValueError(
                "address: missing. Name a free address of the cluster's service network "
                "(kubectl cluster-info dump | grep -m 1 service-cluster-ip-range)"
            )
        if not self.machines:
            raise ValueError(
                "machines: missing. Name the networks of the machines (kubectl get nodes -o wide shows them)"
            )
        return self


class Storage(StorageSettings):
    """`[storage]`: as in storage.toml. In a cluster homes lie on NFS, seen alike by everything."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    provider: Literal["nfs"] = "nfs"
    """Homes are on NFS, as every pod has to see them."""
    root: Path = HOMES
    """Where pods have it; in a cluster always there."""
    server: FileServer | None = None
    """In place of `nfs.server` and `nfs.export`."""
    capacity: Size = "500Gi"
    """What Kubernetes writes beside an export of the site's own; nothing is held to it."""

    @model_validator(mode="before")
    @classmethod
    def _rendered_is_mounted(cls, told: Any) -> Any:
        if not isinstance(told, dict) or not isinstance(told.get("nfs", {}), dict):
            return told
        nfs = told.get("nfs", {})
        if told.get("server") is None:
            if not nfs.get("server"):
                raise ValueError(
                    "nfs.server: missing. Name your NFS server ([storage.nfs] server, export), or a free address for "
                    "one that is rendered ([storage.server] address, machines)"
                )
            return told
        if {"server", "export"} & nfs.keys():
            raise ValueError("[storage.server] is rendered, and [storage.nfs] names another one: leave one out")
        address = told["server"].get("address") if isinstance(told["server"], dict) else None
        return {**told, "nfs": {**nfs, "server": address or "-", "export": _EXPORT}}

    @model_validator(mode="after")
    def _where_pods_have_it(self) -> Self:
        if self.root != HOMES:
            raise ValueError(f"root: in a cluster pods have it at {HOMES}: leave it out")
        return self

    @property
    def export(self) -> NfsSettings:
        """What is mounted."""
        assert self.nfs is not None  # noqa: S101 - the model refuses a site without
        return self.nfs

    @property
    def size(self) -> str:
        """Of the disk, as Kubernetes is told."""
        return self.server.size if self.server else self.capacity

    @property
    def told(self) -> dict[str, Any]:
        """As storage.toml and the hub's settings have it."""
        return self.model_dump(mode="json", exclude_none=True, include=set(StorageSettings.model_fields))


class Backup(BackupPlan):
    """`[backup]`: as in storage.toml, with secrets by reference."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: SecretReference = "mlinfn-backup/password"  # noqa: S105 - a reference
    """With what copies are encrypted. Keep it elsewhere too: without it they are lost."""
    credentials: SecretReference | None = None
    """Keys of the S3 server, in the form of `~/.aws/credentials`."""
    certificate: SecretReference | None = None
    """Authority that signed the S3 server's certificate, when the system does not know it."""
    disk: Size = "20Gi"
    """For the dump of the database, other copies of one moment, and restic's cache."""

    @model_validator(mode="after")
    def _reachable_from_a_pod(self) -> Self:
        if not self.repository.startswith("s3:"):
            raise ValueError("repository: a folder of a pod is gone with it: write s3:https://host/bucket")
        if self.credentials is None:
            raise ValueError(
                "credentials: missing, and repository is a bucket. Write mlinfn-backup/credentials, and put the keys "
                "into that Secret in the form of ~/.aws/credentials"
            )
        if self.folders or self.copies:
            raise ValueError("folders, copies: are the platform's own in a cluster: leave them out")
        return self

    @property
    def secrets(self) -> dict[str, str]:
        """By the name of its file in the container, each reference."""
        told = {"password": self.password, "credentials": self.credentials, "certificate": self.certificate}
        return {name: reference for name, reference in told.items() if reference}

    @property
    def port(self) -> int:
        """Of the S3 server."""
        address = urlsplit(self.repository.removeprefix("s3:"))
        return address.port or (443 if address.scheme == "https" else 80)


class Database(Section):
    """`[database]`: the rendered PostgreSQL, or the site's own."""

    host: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """The site's server; empty: one is rendered."""
    port: int = Field(default=5432, ge=1, le=65535)
    """Of the server."""
    name: str = Field(default="mlinfn", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    """Of the database."""
    tls: Literal["verify-full", "require", "disable"] | None = None
    """libpq's sslmode; nothing said: verify-full for the site's server, none within the cluster's own network."""
    size: Size = "50Gi"
    """Of the rendered server's disk."""
    rest_schemas: list[Name] = Field(default_factory=list)
    """Schemas that PostgREST offers; none: it is not rendered."""
    rest_anonymous: str = Field(default="", pattern=r"^[a-z0-9_]*$")
    """Role of those who show no token; empty: nobody may."""
    rest_keys: SecretReference = "mlinfn-rest/keys"
    """The key set (JWKS) of those who sign tokens for rest_schemas; with [ingestion] it is its provider's, fetched."""


class External(Section):
    """`[external]`: pools beside this one."""

    central_manager: Address | None = None
    """Collector and negotiator that somebody else runs for this site; nothing said: they are rendered."""
    pools: list[Address] = Field(default_factory=list)
    """Where marked jobs of batch may go when this pool is full, tried in this order: docs/external.md."""
    projects: list[Name] = Field(default_factory=list)
    """Whose jobs may."""
    unasked: bool = False
    """Whether jobs may go whose user said nothing about it."""
