"""Settings of a hub: one TOML file, one section for each thing that a site decides."""

from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor import settings_file
from mlinfn_condor.hub.accounts.settings import AccountSettings
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.hub.page.limits import Limits
from mlinfn_condor.storage.settings import StorageSettings


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Addresses(_Section):
    """`[addresses]`: where the parts of the hub find each other, and users find them."""

    public: str = "http://127.0.0.1:8000"
    """What users open; the proxy listens there."""
    hub: str = "http://127.0.0.1:8081"
    """Where the hub listens; nodes reach it too, to ask who comes in."""
    proxy_api: str = "http://127.0.0.1:8001"
    """Where the hub orders the proxy about; for nobody else."""
    web: str = ""
    """Where the window on the pool listens, for the proxy alone; empty: this hub has none. Needs the extra `web`."""
    web_token_file: Path | None = None
    """By what the hub knows a window that somebody else starts, in a pod of its own; None: the hub starts it."""
    internal_tls: bool = True
    """Whether hub, proxy and sessions speak TLS with certificates on both sides: then a session's port takes none but
    the hub's proxy and the hub. The addresses of hub and proxy_api become https by it, whatever they are written as."""
    node_names: list[str] = []
    """Names and addresses of nodes beside those that the pool knows them by: `*.nodes.example.org`."""

    @property
    def hub_url(self) -> str:
        """Where the hub listens, with the scheme that it has."""
        return self._internal(self.hub)

    @property
    def web_url(self) -> str:
        """Where the window listens, with the scheme that it has; empty: there is none.

        Only one that the hub starts gets a certificate from it.
        """
        return self.web if self.web_token_file else self.web and self._internal(self.web)

    @property
    def proxy_api_url(self) -> str:
        """Where the proxy takes orders, with the scheme that it has."""
        return self._internal(self.proxy_api)

    def _internal(self, address: str) -> str:
        return f"{'https' if self.internal_tls else 'http'}://{address.partition('://')[2]}"


class Sessions(_Section):
    """`[sessions]`: how a session runs on a node."""

    homes: str = "/home/{username}"
    """Homes as the hub and all nodes see them."""
    ip: str = "0.0.0.0"  # noqa: S104 - on a node, behind the site's network policy
    """Address that a session listens on; 127.0.0.1 where hub and nodes are one machine."""
    path: str = ""
    """Folders put in front of a session's PATH."""
    environment: dict[str, str] = {}
    """Variables of every session; no secrets, each user sees his own."""
    queue_timeout_seconds: int = Field(default=600, ge=10)
    """How long a session may wait in the queue until its start is given up, with the reason."""
    prospects_file: Path | None = None
    """Where the pool's provisioner, if there is one, tells of nodes to come: `prospects.json` in its folder."""
    own_accounts: bool = False
    """Whether each user is an account of the operating system. Then the hub is root, and gives each his home (by
    `[storage]`) and his session's folder; otherwise one account runs everything."""
    owners_displace_sessions: bool = True
    """As the pool's MLINFN_OWNER_DISPLACES_SESSIONS: what the spawn page tells of it."""


class Tokens(_Section):
    """`[tokens]`: with what the hub signs HTCondor tokens for users in their sessions."""

    key_file: Path
    """In the pool's SEC_PASSWORD_DIRECTORY; its name is the key's."""
    trust_domain: str
    """The pool's TRUST_DOMAIN."""


class Membership(_Section):
    """`[membership]`: who belongs to which project."""

    map_file: Path
    """The pool's MLINFN_PROJECT_MAP."""
    projects: list[str] = Field(min_length=1)
    """Projects of the pool (its GROUP_NAMES)."""
    leavers_file: Path | None = None
    """The pool's MLINFN_LEAVERS_MAP; `leavers.map` beside the map of projects when nothing is said."""

    daemons_group: int | None = None
    """Number of the group of HTCondor's daemons, who read the list of people's tokens; None: they are this account."""

    people_tokens_file: Path | None = None
    """The pool's MLINFN_PEOPLES_TOKEN_LIST; `people-tokens.map` beside the map of projects when nothing is said."""

    @property
    def people_tokens_map(self) -> Path:
        """Where the seals of people's tokens are listed."""
        return self.people_tokens_file or self.map_file.with_name("people-tokens.map")

    @property
    def leavers_map(self) -> Path:
        """Where it is said whose tokens are void."""
        return self.leavers_file or self.map_file.with_name("leavers.map")


class HubSettings(_Section):
    """All of it."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]{0,15}$")
    """Name that the hub's sessions carry in the queue; each hub of a pool has its own."""
    folder: Path
    """What the hub keeps: database, cookies' secret, inventory."""
    addresses: Addresses = Addresses()
    sessions: Sessions = Sessions()
    tokens: Tokens
    membership: Membership
    accounts: AccountSettings = AccountSettings()
    limits: Limits = Limits()
    culling: Rules = Rules()
    storage: StorageSettings | None = None
    """Where homes and projects' folders are made when their user first needs them; None: others make them."""

    @model_validator(mode="after")
    def _projects_exist(self) -> Self:
        told = {
            "accounts.openid.projects": self.accounts.openid.known_projects if self.accounts.openid else (),
            "accounts.members": [project for projects in self.accounts.members.values() for project in projects],
        }
        for where, named in told.items():
            if unknown := sorted(set(named) - set(self.membership.projects)):
                raise ValueError(f"{where}: {', '.join(unknown)}: membership.projects has no such project")
        return self

    @model_validator(mode="after")
    def _homes_are_where_they_are_made(self) -> Self:
        if self.storage and self.storage.root and self.sessions.homes != f"{self.storage.root}/homes/{{username}}":
            raise ValueError(f"sessions.homes: with [storage] it is {self.storage.root}/homes/{{username}}")
        return self

    @property
    def certificates_folder(self) -> Path:
        """JupyterHub's authorities, and the certificates of hub and proxy."""
        return self.folder / "certificates"

    @property
    def accounts_folder(self) -> Path:
        """Folder of the hub's accounts (accounts.store.Store)."""
        return self.folder / "accounts"


def read(path: Path) -> HubSettings:
    """The settings in this file. Raises BadRequest with every mistake and its place."""
    return settings_file.read(path, HubSettings)
