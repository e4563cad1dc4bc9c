"""Sign-in at an identity provider: oauthenticator's flow, and our accounts behind it."""

import asyncio
import stat
from collections.abc import Mapping
from typing import Any

from oauthenticator.generic import GenericOAuthenticator
from oauthenticator.oauth2 import OAuthLoginHandler, _deserialize_state
from tornado.httpclient import HTTPClientError
from tornado.web import HTTPError
from traitlets import Instance

from mlinfn_condor.errors import BadRequest, UserError
from mlinfn_condor.hub.accounts.account import now
from mlinfn_condor.hub.accounts.accounted import AccountedAuthenticator
from mlinfn_condor.hub.accounts.openid import OpenId, brought_up_to_date, former_name, person, refusal
from mlinfn_condor.hub.accounts.provider import NotMeantForUs, ProviderUnavailable, discover, nonce_of, subject_of

_SERVER_ERROR = 500


class OpenIdLogin(OAuthLoginHandler):  # type: ignore[misc] # oauthenticator has no types
    """Sends people to the provider, with a nonce beside oauthenticator's state and PKCE."""

    async def get(self) -> None:
        """On to the provider, or 503 with a sentence: it may have been down since the hub started."""
        await self.authenticator.discover()
        super().get()

    def authorize_redirect(self, *args: Any, extra_params: Mapping[str, str], **named: Any) -> None:
        """See OAuth2Mixin."""
        nonce = nonce_of(self._code_verifier)
        super().authorize_redirect(*args, extra_params={**extra_params, "nonce": nonce}, **named)

    def _generate_pkce_params(self) -> tuple[str, str]:
        self._code_verifier, challenge = super()._generate_pkce_params()
        return self._code_verifier, challenge


class OpenIdAuthenticator(AccountedAuthenticator, GenericOAuthenticator):  # type: ignore[misc]
    """Lets in whoever the provider knows, under the name and with the projects that our table gives.

    Nothing of what the provider hands out is kept: no token of its reaches the hub's database, let alone a session.
    """

    openid = Instance(OpenId, help="Section [accounts.openid] of the hub's settings.").tag(config=True)
    login_handler = OpenIdLogin

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        settings: OpenId = self.openid
        self._discovered = False
        self.client_id = settings.client_id
        self.client_secret = _secret(settings)
        self.login_service = settings.provider
        self.scope = list(settings.scopes)
        self.username_claim = settings.username_claim
        self.enable_pkce = True

    async def discover(self) -> None:
        """Learn the provider's addresses, once. Raises HTTPError 503 when it does not answer."""
        if self._discovered:
            return
        try:
            found = await asyncio.to_thread(discover, self.openid.issuer)
        except ProviderUnavailable as error:
            raise self._unavailable(error) from error
        self.authorize_url, self.token_url, self.userdata_url = found.authorize_url, found.token_url, found.userinfo_url
        self.basic_auth = found.takes_basic and bool(self.client_secret)
        self._discovered = True

    async def authenticate(self, handler: Any, data: Any = None, **named: Any) -> dict[str, Any]:
        """See OAuthenticator. A hub that was started anew in the middle of a sign-in asks the provider again."""
        await self.discover()
        try:
            model: dict[str, Any] = await super().authenticate(handler, data, **named)
        except NotMeantForUs as error:
            self.log.warning("sign-in refused: %s", error)
            raise HTTPError(
                403, "No sign-in: the answer does not belong to it. Begin again at the hub's page."
            ) from error
        return model

    async def get_token_info(self, handler: Any, params: Mapping[str, Any]) -> dict[str, Any]:
        """See OAuthenticator. The ID token must be of this very sign-in; whom it names is checked in token_to_user."""
        told: dict[str, Any] = await super().get_token_info(handler, params)
        nonce = nonce_of(_deserialize_state(handler.get_state_cookie())["code_verifier"])
        subject = subject_of(told.get("id_token"), self.openid.issuer, self.openid.client_id, nonce)
        return {**told, "subject": subject}

    async def token_to_user(self, token_info: Mapping[str, Any]) -> dict[str, Any]:
        """See OAuthenticator: the claims about the person, who must be the one of the ID token."""
        claims: dict[str, Any] = await super().token_to_user(token_info)
        if not isinstance(claims, dict) or claims.get("sub") != token_info["subject"]:
            raise NotMeantForUs("userinfo: it is about somebody else")
        return claims

    def user_info_to_username(self, user_info: Mapping[str, Any]) -> str:
        """See OAuthenticator. Refuses names that cannot be the pool's, before anything is made for them."""
        try:
            return person(self.openid, user_info)[0]
        except BadRequest as error:
            raise self._refused(str(error)) from error

    def normalize_username(self, username: str) -> str:
        """As it is: two people whose names became one would be one person to the pool."""
        return username

    async def update_auth_model(self, auth_model: dict[str, Any]) -> dict[str, Any]:
        """The provider's claims become an account, or a refusal in a sentence. Its tokens end here."""
        claims = auth_model["auth_state"][self.user_auth_state_key]
        try:
            name, signed_in = person(self.openid, claims)
            with self.store.change() as accounts:
                formerly = former_name(accounts, name, signed_in)
                before = accounts[formerly] if formerly else accounts.get(name)
                if formerly and name in accounts:
                    raise BadRequest(
                        f"There is an account {name} already, and yours is {formerly}: ask the administrators."
                    )
                account = brought_up_to_date(name, signed_in, before)
                refused = refusal(name, account, now())
                if formerly:
                    self.log.warning("%s is called %s now: his account goes with him", formerly, name)
                    del accounts[formerly]
                # Who has lost his projects loses them now, also where he is still in; strangers leave no trace.
                if before is not None or refused is None:
                    accounts[name] = account
        except BadRequest as error:
            raise self._refused(str(error)) from error
        except UserError as error:
            self.log.error("%s", error)
            raise HTTPError(503, "No sign-in at the moment: the hub cannot read its accounts.") from error
        if refused is not None:
            raise self._refused(refused)
        return {"name": name, "admin": account.is_admin, "auth_state": None}

    async def httpfetch(self, url: str, *args: Any, **named: Any) -> Any:
        """See OAuthenticator. A provider that is away is a sentence, not a traceback."""
        try:
            return await super().httpfetch(url, *args, **named)
        except HTTPClientError as error:
            if error.code < _SERVER_ERROR:
                raise HTTPError(403, f"No sign-in: {self.openid.provider} refused it. Begin again.") from error
            raise self._unavailable(error) from error
        except (OSError, ValueError) as error:
            raise self._unavailable(error) from error

    def _refused(self, sentence: str) -> HTTPError:
        self.log.warning("sign-in refused: %s", sentence)
        return HTTPError(403, sentence)

    def _unavailable(self, error: Exception) -> HTTPError:
        self.log.error("identity provider: %s", error)
        return HTTPError(
            503, f"No sign-in at the moment: {self.openid.provider} does not answer. Try again in a few minutes."
        )


def _secret(settings: OpenId) -> str:
    """The client's secret; refused if others could have read it. Raises UserError."""
    path = settings.client_secret_file
    if path is None:
        return ""
    try:
        mode, secret = path.stat().st_mode, path.read_text().strip()
    except OSError as error:
        raise UserError(f"{path}: {error.strerror}; [accounts.openid] names it as client_secret_file") from error
    if stat.S_IMODE(mode) & 0o077:
        raise UserError(f"{path} can be read by others: chmod 600 it, and have the provider give a new secret")
    return secret
