"""Sign-in by JupyterHub: a person is whom the hub says he is, and what he may is what the hub says."""

import hmac
import secrets
import time
from typing import Any, cast
from urllib.parse import urlencode

from jupyterhub.services.auth import HubOAuth
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from tornado.web import HTTPError

from mlinfn_condor.hub.window import ADMIN_SCOPE, NAME
from mlinfn_condor.web.drawing import render
from mlinfn_condor.web.person import COOKIE, DoorShut, Person

STATE = "mlinfn-web-state"
STATE_SECONDS = 600
"""How long a sign-in at the hub may take."""
REMEMBER_SECONDS = 60
"""How long the hub's word is believed: so late is noticed that an account has ended."""
MOST_SESSIONS = 10_000


def of_hub(address: str, token: str) -> HubOAuth:
    """For a window that JupyterHub knows and does not start: what it would have put into the environment."""
    return HubOAuth(
        api_url=f"{address.rstrip('/')}/hub/api",
        api_token=token,
        base_url=f"/services/{NAME}/",
        oauth_client_id=f"service-{NAME}",
        access_scopes={"access:services", f"access:services!service={NAME}"},
        cache_max_age=REMEMBER_SECONDS,
    )


class HubDoor:
    """Browsers hold the name of a session; the hub's token stays here. After a restart all sign in again, unasked."""

    def __init__(self, auth: HubOAuth | None = None, secure: bool = False) -> None:
        """`secure`: whether browsers come by https alone. All else JupyterHub has put into the environment."""
        self._auth = auth or HubOAuth(cache_max_age=REMEMBER_SECONDS)
        self._secure = secure
        self._tokens: dict[str, str] = {}
        self._states: dict[str, tuple[float, str, str]] = {}
        self.hub = str(self._auth.hub_prefix)

    @property
    def root(self) -> str:
        """Where this service lies below the hub's public address."""
        return str(self._auth.base_url)

    def person(self, request: Request) -> Person | None:
        """See Door."""
        session = request.cookies.get(COOKIE, "")
        token = self._tokens.get(session)
        if token is None:
            return None
        try:
            model = cast(dict[str, Any] | None, self._auth.user_for_token(token))
        except HTTPError as error:
            raise DoorShut from error
        if model is None or not self._auth.check_scopes(self._auth.access_scopes, model):
            self._tokens.pop(session, None)
            return None
        return Person(str(model["name"]), ADMIN_SCOPE in model.get("scopes", ()), session)

    def turn_away(self, request: Request) -> Response:
        """See Door: to the hub, and back with a code."""
        state = secrets.token_urlsafe(24)
        verifier, challenge, method = self._auth.generate_pkce_code_challenge()
        now = time.monotonic()
        self._states = {name: one for name, one in self._states.items() if one[0] > now}
        self._states[state] = (now + STATE_SECONDS, verifier, self._wanted(request))
        asked = urlencode({"state": state, "code_challenge": challenge, "code_challenge_method": method})
        answer = RedirectResponse(f"{self._auth.login_url}&{asked}", 303)
        self._set(answer, STATE, state, STATE_SECONDS)
        return answer

    def came_back(self, request: Request) -> Response:
        """See Door. The state has to be one that this very browser was sent away with."""
        state, code = request.query_params.get("state", ""), request.query_params.get("code", "")
        known = self._states.pop(state, None)
        same = hmac.compare_digest(state.encode(), request.cookies.get(STATE, "").encode())
        if not code or known is None or not same or known[0] < time.monotonic():
            told = "The sign-in was begun elsewhere or took too long: open the pool's page again."
            return Response(render("stranger.html", sentence=told), 403, media_type="text/html")
        try:
            token = str(self._auth.token_for_code(code, code_verifier=known[1]))
        except HTTPError as error:
            raise DoorShut from error
        session = secrets.token_urlsafe(24)
        while len(self._tokens) >= MOST_SESSIONS:
            self._tokens.pop(next(iter(self._tokens)))
        self._tokens[session] = token
        answer = RedirectResponse(known[2], 303)
        self._set(answer, COOKIE, session, None)
        answer.delete_cookie(STATE, path=self.root)
        return answer

    def _wanted(self, request: Request) -> str:
        """The page that was asked for: one of ours, whatever the address said."""
        path = request.url.path
        ours = path.startswith(self.root) and not path.startswith("//")
        return f"{path}?{request.url.query}" if ours and request.url.query else path if ours else self.root

    def _set(self, answer: Response, name: str, value: str, seconds: int | None) -> None:
        answer.set_cookie(
            name, value, max_age=seconds, httponly=True, samesite="lax", path=self.root, secure=self._secure
        )
