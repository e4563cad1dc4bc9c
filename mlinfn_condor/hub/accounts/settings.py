"""Settings of accounts: section `[accounts]` of the hub's file."""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mlinfn_condor.hub.accounts.openid import OpenId


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
