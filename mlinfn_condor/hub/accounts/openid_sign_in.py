"""Sign-in at an identity provider: oauthenticator's flow, and our accounts behind it."""

import asyncio
import json
import urllib.request
from typing import Any
from urllib.error import URLError

from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler
from tornado.web import HTTPError
from traitlets import Instance

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts.accounted import AccountedAuthenticator
from mlinfn_condor.hub.accounts.openid import OpenId, admitted, person

DISCOVERY_SECONDS = 10
WELL_KNOWN = "/.well-known/openid-configuration"


class DiscoveringLogin(OAuthLoginHandler):  # type: ignore[misc] # oauthenticator has no types
    """Asks the provider where to send people, if that is not yet known: a provider may be down when the hub starts."""

    async def get(self) -> None:
        """On to the provider, or 503 with a sentence."""
        await self.authenticator.discover()
        super().get()


class OpenIdAuthenticator(AccountedAuthenticator, GenericOAuthenticator):  # type: ignore[misc]
    """Lets in whoever the provider knows, under the name and with the projects that our table gives.

    Nothing of what the provider hands out is kept: no token of its reaches the hub's database, let alone a session.
    """

    openid = Instance(OpenId, help="Section [accounts.openid] of the hub's settings.").tag(config=True)
    login_handler = DiscoveringLogin

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        settings: OpenId = self.openid
        self._discovered = False
        self.client_id = settings.client_id
        if settings.client_secret_file is not None:
            self.client_secret = settings.client_secret_file.read_text().strip()
        self.login_service = settings.provider
        self.scope = list(settings.scopes)
        self.username_claim = settings.username_claim

    async def discover(self) -> None:
        """Learn the provider's addresses. Raises HTTPError 503 when it does not answer."""
        if self._discovered:
            return
        address = self.openid.issuer.rstrip("/") + WELL_KNOWN
        try:
            found = await asyncio.to_thread(_read, address)
            if found["issuer"].rstrip("/") != self.openid.issuer.rstrip("/"):
                raise ValueError(f"it calls itself {found['issuer']}")
            self.authorize_url, self.token_url = found["authorization_endpoint"], found["token_endpoint"]
            self.userdata_url = found["userinfo_endpoint"]
            self._discovered = True
        except (OSError, URLError, ValueError, KeyError, TypeError, AttributeError) as error:
            self.log.error("%s: %s", address, error)
            raise HTTPError(
                503, f"No sign-in at the moment: {self.openid.provider} does not answer. Try again later."
            ) from error

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """The provider's claims become an account, or a refusal in a sentence."""
        claims = auth_model["auth_state"][self.user_auth_state_key]
        try:
            name, signed_in = person(self.openid, claims)
            with self.store.change() as accounts:
                accounts[name] = account = admitted(name, signed_in, accounts.get(name))
        except BadRequest as refusal:
            self.log.warning("sign-in refused: %s", refusal)
            raise HTTPError(403, str(refusal)) from refusal
        return {"name": name, "admin": account.is_admin, "auth_state": None}


def _read(address: str) -> dict[str, Any]:
    with urllib.request.urlopen(address, timeout=DISCOVERY_SECONDS) as answer:  # noqa: S310 - https or loopback, checked
        found: dict[str, Any] = json.load(answer)
        return found
