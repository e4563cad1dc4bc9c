"""Settings of accounts: section `[accounts]` of the hub's file."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, field_validator

from mlinfn_condor.hub.accounts.openid import OpenId


class IdentitySettings(BaseModel):
    """Section `[accounts.identity]`: the site's register of people, who get their numbers from it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database: str
    """DSN of the register's database, as role `mlinfn_identity`; without a password, which `~/.pgpass` or a service
    file of the hub's account has."""
    folder: Path | None = None
    """Where `passwd` and `group` are written for pods to mount: on storage that all nodes share. None: nowhere."""

    @field_validator("database")
    @classmethod
    def _without_password(cls, dsn: str) -> str:
        if "password=" in dsn or ":" in dsn.partition("://")[2].partition("@")[0]:
            raise ValueError("the DSN has a password in it: put it into ~/.pgpass or a service file")
        return dsn


class AccountSettings(BaseModel):
    """How people sign in, what their sessions get, and how the pool hears of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    openid: OpenId | None = None
    """Section `[accounts.openid]`: the identity provider. Without it people sign in with passwords of the hub's own."""
    failures_per_minute: int = Field(default=5, ge=1)
    """Failed sign-ins for one name in a minute before further ones are refused unseen."""
    recheck_seconds: int = Field(default=10, ge=1, le=300)
    """How long a browser that is signed in may go on after its account has ended (seconds)."""
    token_seconds: int = Field(default=3600, ge=60, le=86400)
    """Life of a session's token for the pool (seconds). The hub renews it after half of that; a session whose hub is
    down longer goes on, but cannot submit until the hub is back."""
    members: dict[str, tuple[str, ...]] = {}
    """People of the pool who have no account here, and their projects: the hub writes the pool's whole map."""
    pool_token_directory: Path | None = None
    """Folder with a token of one of the pool's administrators, for the service that has the access points read the map
    of projects (HTCondor's SEC_TOKEN_DIRECTORY). Without it the service has the identity that HTCondor finds."""
    make_homes: bool = False
    """Whether the hub makes homes for new people; on a site they come from elsewhere."""
    identity: IdentitySettings | None = None
    """Section `[accounts.identity]`. Without it people have no numbers of the site's: all run under one account."""
