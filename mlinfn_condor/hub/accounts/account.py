"""An account: who may use the hub, until when, and which projects it is a member of."""

from collections.abc import Mapping
from datetime import UTC, datetime

from pydantic import AwareDatetime, BaseModel, ConfigDict


class SignIn(BaseModel):
    """What the identity provider said about a person the last time he signed in; the next sign-in replaces it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    subject: str
    """The provider's own, unchangeable name for him: `issuer#sub`. A user name can change hands, this cannot."""
    projects: tuple[str, ...] = ()
    admin: bool = False


class Account(BaseModel):
    """One account. It may have a password of its own, or belong to a person who signs in at the identity provider."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    password: str | None = None
    """Salted hash; without one nobody signs in with a password."""
    projects: tuple[str, ...] = ()
    """Projects that an administrator gave, the first being the default one."""
    admin: bool = False
    """Whether an administrator of the hub by an administrator's word."""
    until: AwareDatetime | None = None
    """When it ends; None: it does not."""
    sign_in: SignIn | None = None

    @property
    def member_of(self) -> tuple[str, ...]:
        """Every project, each once: an administrator's first, then the provider's."""
        return tuple(dict.fromkeys(self.projects + (self.sign_in.projects if self.sign_in else ())))

    @property
    def is_admin(self) -> bool:
        """Whether an administrator of the hub, by whoever's word."""
        return self.admin or (self.sign_in is not None and self.sign_in.admin)

    def ended(self, now: datetime) -> bool:
        """Whether it has ended by then."""
        return self.until is not None and self.until <= now

    def admits(self, now: datetime) -> bool:
        """Whether its holder may be in the hub: it has not ended, and he has a project or administers the hub."""
        return not self.ended(now) and (bool(self.member_of) or self.is_admin)


Accounts = Mapping[str, Account]


def now() -> datetime:
    """This moment, with its zone."""
    return datetime.now(UTC)
