"""Sign-in at an identity provider (OpenID Connect): settings, and what follows from what it says about a person."""

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts.account import Account, Accounts, SignIn
from mlinfn_condor.identity.names import identity

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class OpenId(BaseModel):
    """Section `[accounts.openid]`. For INFN IAM: the issuer, the client, and the table of groups."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    issuer: str
    """Address of the provider; the rest is read from its `/.well-known/openid-configuration`."""
    client_id: str = Field(min_length=1)
    """What the provider calls this hub. Its redirect address there: `<public address>/hub/oauth_callback`."""
    client_secret_file: Path | None = None
    """File, readable by the hub alone, with the secret that the provider gave; none for a public client."""
    provider: str = "your institute"
    """Its name on the button: "Sign in with …"."""
    scopes: tuple[str, ...] = ("openid", "profile", "email")
    """What the hub asks for. Some providers tell groups only with a scope of their own."""
    username_claim: str = "preferred_username"
    """Which claim is the name of the person on the pool."""
    groups_claim: str = "groups"
    """Which claim lists his groups; `a.b` is `b` within `a`."""
    projects: dict[str, str | tuple[str, ...]] = Field(min_length=1)
    """Table `[accounts.openid.projects]`: group of the provider → project, or list of projects, of the pool. Whoever is
    in none of these groups is not let in."""
    admin_groups: tuple[str, ...] = ()
    """Groups of the hub's administrators."""

    @model_validator(mode="after")
    def _encrypted(self) -> Self:
        """What the provider says is believed because of the line it came over."""
        if not is_private(self.issuer):
            raise ValueError(f"issuer {self.issuer} must begin with https://")
        return self

    @property
    def known_projects(self) -> tuple[str, ...]:
        """Every project that the table names."""
        return tuple(dict.fromkeys(project for group in self.projects for project in self.projects_of([group])))

    def projects_of(self, groups: list[str]) -> tuple[str, ...]:
        """Projects of somebody in these groups, in the table's order: the first is his default one."""
        found: dict[str, None] = {}
        for group, projects in self.projects.items():
            if group in groups:
                found |= dict.fromkeys((projects,) if isinstance(projects, str) else projects)
        return tuple(found)


def is_private(address: str) -> bool:
    """Whether nobody between can read or change what is said there."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)


def groups_of(claims: Mapping[str, Any], path: str) -> list[str]:
    """The groups that a claim lists; anything else than texts in a list is nothing."""
    found: Any = claims
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return [group for group in found if isinstance(group, str)] if isinstance(found, list) else []


def person(settings: OpenId, claims: Mapping[str, Any]) -> tuple[str, SignIn]:
    """Name and standing of the person whom the provider describes. Raises BadRequest with a sentence for him."""
    name, subject = claims.get(settings.username_claim), claims.get("sub")
    if name is None or not isinstance(subject, str) or not subject:
        raise BadRequest(
            f"{settings.provider} did not tell your name ({settings.username_claim}): ask the administrators whether "
            "the hub asks for the right scopes."
        )
    groups = groups_of(claims, settings.groups_claim)
    signed_in = SignIn(
        subject=f"{settings.issuer.rstrip('/')}#{subject}",
        projects=settings.projects_of(groups),
        admin=not set(settings.admin_groups).isdisjoint(groups),
    )
    return identity(name), signed_in


def brought_up_to_date(name: str, signed_in: SignIn, before: Account | None) -> Account:
    """The account with what the provider says now. Raises BadRequest when the name is another person's.

    A name at the provider can change hands; whoever comes later must not find himself in the other's home.
    """
    account = before or Account()
    if account.sign_in and account.sign_in.subject != signed_in.subject:
        raise BadRequest(
            f"The name {name} belongs to somebody else here: ask the administrators for an account under another name."
        )
    return account.model_copy(update={"sign_in": signed_in})


def former_name(accounts: Accounts, name: str, signed_in: SignIn) -> str | None:
    """The name under which this person, the same by the provider's word, has his account; None: this one, or none.

    Who changes his name at the provider stays who he is: a new account beside the old one would have neither its end
    nor its limits.
    """
    for other, account in accounts.items():
        if other != name and account.sign_in is not None and account.sign_in.subject == signed_in.subject:
            return other
    return None


def refusal(name: str, account: Account, at: datetime) -> str | None:
    """Why the holder of an account is not let in, in a sentence for him; None when he is."""
    if account.admits(at):
        return None
    if account.until is not None and account.ended(at):
        ended = account.until.astimezone(UTC)
        return f"Your account {name} ended on {ended:%d %B %Y at %H:%M} UTC: ask the administrators to extend it."
    return (
        f"You are signed in as {name}, but in no group that has a project on this pool: ask the leader of your "
        "project to add you to its group, then sign in again."
    )
