"""Sign-in at an identity provider (OpenID Connect): settings, and what follows from what it says about a person."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, model_validator

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.names import identity

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
        """The tokens' signatures are not checked: they come over an encrypted line from the provider itself."""
        address = urlsplit(self.issuer)
        if address.scheme != "https" and not (address.scheme == "http" and address.hostname in LOOPBACK):
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


def admitted(name: str, signed_in: SignIn, before: Account | None) -> Account:
    """The account of somebody who signs in, with what the provider says now. Raises BadRequest with a sentence."""
    account = before or Account()
    if account.sign_in and account.sign_in.subject != signed_in.subject:
        raise BadRequest(
            f"The name {name} belongs to somebody else here: ask the administrators for an account under another name."
        )
    account = account.model_copy(update={"sign_in": signed_in})
    if not account.member_of and not account.is_admin:
        raise BadRequest(
            f"You are signed in as {name}, but in no group that has a project on this pool: ask the leader of your "
            "project to add you to its group, then sign in again."
        )
    return account
