"""Settings of accounts: section `[accounts]` of the hub's file."""

from pydantic import BaseModel, ConfigDict, Field


class AccountSettings(BaseModel):
    """How people sign in with a password, and what their sessions get."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    failures_per_minute: int = Field(default=5, ge=1)
    """Failed sign-ins for one name in a minute before further ones are refused unseen."""
    token_seconds: int = Field(default=3600, ge=60, le=86400)
    """Life of a session's token for the pool (seconds). The hub renews it after half of that; a session whose hub is
    down longer goes on, but cannot submit until the hub is back."""
    recheck_seconds: int = Field(default=10, ge=1, le=300)
    """How long a browser that is signed in may go on after its account has ended (seconds)."""
