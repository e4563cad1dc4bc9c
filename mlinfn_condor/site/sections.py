"""Sections of the site file beside contracts and cluster. Each says what a number is in, and why it is what it is."""

import re
from typing import Annotated, Literal, Self
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from pydantic import AfterValidator, Field, model_validator

from mlinfn_condor.contracts.settings import Name
from mlinfn_condor.hub.accounts.openid import OpenId
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.hub.page.limits import Limits
from mlinfn_condor.site.references import SecretName, SecretReference, Section

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


class Identity(Section):
    """`[identity]`: who belongs to the site, and to which project."""

    openid: Provider | None = None
    """The identity provider. Without it people sign in with passwords of the hub's own."""
    members: dict[Name, list[Name]] = Field(default_factory=dict)
    """People and their projects, for sites without a provider, and for people who are not at it."""

    @model_validator(mode="after")
    def _somebody(self) -> Self:
        if self.openid is None and not self.members:
            raise ValueError("nobody could sign in: give [identity.openid], or people in [identity.members]")
        return self


class Hub(Section):
    """`[hub]`: what people may have at once, and when idle sessions are taken back; as in a hub's own settings."""

    limits: Limits = Limits()
    culling: Rules = Rules()


class Homes(Section):
    """`[storage.homes]`: homes on NFS, seen alike by hub, access points, sessions and jobs."""

    server: str = ""
    """The site's NFS server. Empty: one is rendered, on a disk of the cluster."""
    path: str = Field(default="/homes", pattern=r"^/\S*$")
    """What it exports."""
    address: str = Field(default="", pattern=r"^(\d{1,3}(\.\d{1,3}){3}|[0-9a-fA-F:]+:[0-9a-fA-F:]*|)$")
    """A free address of the cluster's service network for the rendered server: machines mount it, and they do not know
    the cluster's names."""
    size: Size = "500Gi"
    """Of the rendered server's disk."""
    machines: list[Network] = Field(default_factory=list)
    """Networks of the cluster's machines, the only ones that may call the rendered server: not the pods', for a program
    that speaks NFS itself could call itself anybody."""
    mount_options: list[str] = Field(default=["nfsvers=4.2", "hard", "noatime"])
    """`hard`: a job waits while the server is away, instead of losing what it writes."""

    @model_validator(mode="after")
    def _reachable(self) -> Self:
        if not self.server and not self.address:
            raise ValueError(
                "address: missing. Name your NFS server (server), or a free address of the cluster's service network "
                "for the rendered one (kubectl cluster-info dump | grep -m 1 service-cluster-ip-range)"
            )
        if not self.server and not self.machines:
            raise ValueError(
                "machines: missing. Name the networks of the machines (kubectl get nodes -o wide shows them)"
            )
        if self.server and self.address:
            raise ValueError("address: is the rendered server's, and server names another one: leave one out")
        return self


class Storage(Section):
    """`[storage]`: what outlives sessions."""

    homes: Homes
    node_cache: bool = False
    """Whether machines cache homes on a local disk (FS-Cache): they need `cachefilesd` and its disk."""


def _is_cron(text: str) -> str:
    if len(text.split()) != 5 or not re.fullmatch(r"[0-9A-Za-z*/,\- ]+", text):
        raise ValueError("five fields are wanted, minute hour day month weekday: 30 2 * * *")
    return text


class Backup(Section):
    """`[backup]`: where copies go and how long they stay. Secrets by reference; what acts on it reads this section."""

    endpoint: Https
    """The S3 server."""
    bucket: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$")
    access_key: SecretReference = "mlinfn-backup/access-key"
    secret_key: SecretReference = "mlinfn-backup/secret-key"  # noqa: S105 - a reference
    password: SecretReference = "mlinfn-backup/password"  # noqa: S105 - a reference
    """With what copies are encrypted. Keep it elsewhere too: without it they are lost."""
    schedule: Annotated[str, AfterValidator(_is_cron)] = "30 2 * * *"
    keep_daily: int = Field(default=7, ge=1)
    keep_weekly: int = Field(default=5, ge=0)
    keep_monthly: int = Field(default=12, ge=0)
    late_hours: int = Field(default=30, ge=1)
    """Age of the last copy from which it counts as late."""


class Database(Section):
    """`[database]`: the rendered PostgreSQL, or the site's own."""

    host: str = Field(default="", pattern=r"^[A-Za-z0-9.-]*$")
    """The site's server; empty: one is rendered."""
    port: int = Field(default=5432, ge=1, le=65535)
    name: str = Field(default="mlinfn", pattern=r"^[a-z][a-z0-9_]{0,62}$")
    tls: Literal["verify-full", "require", "disable"] | None = None
    """libpq's sslmode; nothing said: verify-full for the site's server, none within the cluster's own network."""
    passwords: SecretName = "mlinfn-database"
    """Secret with a line of ~/.pgpass for each role: keys owner, recorder, reports, schedules, rest."""
    size: Size = "50Gi"
    """Of the rendered server's disk."""
    rest_schemas: list[Name] = Field(default_factory=list)
    """Schemas that PostgREST offers; none: it is not rendered."""
    rest_anonymous: str = Field(default="", pattern=r"^[a-z0-9_]*$")
    """Role of those who show no token; empty: nobody may."""
    rest_keys: SecretReference = "mlinfn-rest/keys"
    """The key set (JWKS) of those who sign instruments' tokens."""


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
