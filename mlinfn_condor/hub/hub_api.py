"""What the hub's services ask of it, over its REST API."""

import json
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from http.client import HTTPException
from typing import Any
from urllib.parse import quote, urlencode

from mlinfn_condor.errors import MlinfnError

_PAGE_SIZE = 200
_ANSWER_SECONDS = 30
"""A hub that starts a hundred sessions answers slowly."""


class HubUnavailable(MlinfnError):
    """The hub did not answer, or not as JupyterHub does; what was asked may or may not have been done."""

    page = "docs/operations.md#the-hub"


@dataclass(frozen=True)
class Session:
    """A running server of a user, as the hub tells."""

    user: str
    server: str
    """Its name; empty for the default one."""
    started: float | None
    """Seconds of the epoch."""
    state: Mapping[str, Any]
    """What the spawner keeps."""
    options: Mapping[str, Any]
    """What the user chose."""

    @property
    def key(self) -> tuple[str, str]:
        """Which session of which user."""
        return self.user, self.server

    @property
    def path(self) -> str:
        """Of its server in the API."""
        user = f"users/{quote(self.user, safe='')}"
        return f"{user}/servers/{quote(self.server, safe='')}" if self.server else f"{user}/server"


class HubApi:
    """JupyterHub's REST API, as far as the service's role allows; each call raises HubUnavailable."""

    def __init__(self, url: str, token: str, context: ssl.SSLContext | None = None) -> None:
        """`context`: with which certificate it speaks to a hub that wants one."""
        self._url, self._token, self._context = url.rstrip("/"), token, context

    def sessions(self) -> list[Session]:
        """Servers that are up; not those that start or stop just now."""
        users = self._pages("users", {"state": "active", "include_stopped_servers": "false"})
        try:
            return [session for user in users for session in _ready_servers(user)]
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise self._is_another(error, "users") from error

    def stop(self, session: Session) -> None:
        """204 or 202; 404 and 400 say that it does not run any more."""
        self._ask("DELETE", session.path, allowed=(400, 404))

    def is_gone(self, session: Session) -> bool:
        """A server that stops is still listed."""
        answer = self._ask("GET", f"users/{quote(session.user, safe='')}", allowed=(404,))
        servers = answer.get("servers") if isinstance(answer, dict) else None
        return session.server not in servers if isinstance(servers, dict) else True

    def start(self, session: Session, options: Mapping[str, Any]) -> None:
        """201 or 202."""
        self._ask("POST", session.path, body=options)

    def users(self) -> dict[str, list[str]]:
        """All users, and their servers, those that start or stop just now among them."""
        users = self._pages("users", {"include_stopped_servers": "false"})
        try:
            return {str(user["name"]): list(user["servers"]) for user in users}
        except (KeyError, TypeError) as error:
            raise self._is_another(error, "users") from error

    def forget(self, user: str) -> None:
        """Delete the user; gone already is as good, and one whose server just starts is left for the next time."""
        self._ask("DELETE", f"users/{quote(user, safe='')}", allowed=(400, 404))

    def tokens(self, user: str) -> list[str]:
        """Ids of a user's tokens; none when the hub does not know him."""
        answer = self._ask("GET", f"users/{quote(user, safe='')}/tokens", allowed=(404,)) or {}
        try:
            return [str(token["id"]) for token in answer.get("api_tokens", [])]
        except (AttributeError, KeyError, TypeError) as error:
            raise self._is_another(error, f"users/{user}/tokens") from error

    def revoke(self, user: str, token: str) -> None:
        """Take a token away; gone already is as good."""
        self._ask("DELETE", f"users/{quote(user, safe='')}/tokens/{quote(token, safe='')}", allowed=(404,))

    def _pages(self, path: str, words: Mapping[str, str]) -> list[Any]:
        """All items of a listing, asked for page by page."""
        found: list[Any] = []
        offset: int | None = 0
        while offset is not None:
            page = urlencode({**words, "limit": _PAGE_SIZE, "offset": offset})
            answer = self._ask("GET", f"{path}?{page}", accept="application/jupyterhub-pagination+json")
            try:
                found.extend(answer["items"])
                following = answer["_pagination"]["next"]
                offset = int(following["offset"]) if following else None
            except (KeyError, TypeError, ValueError) as error:
                raise self._is_another(error, path) from error
        return found

    def _is_another(self, error: Exception, path: str) -> HubUnavailable:
        return HubUnavailable(f"{self._url}/{path} does not answer as JupyterHub's API ({error!r})")

    def _ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        accept: str = "application/json",
        allowed: tuple[int, ...] = (),
    ) -> Any:
        request = urllib.request.Request(  # noqa: S310 - the hub's own address
            f"{self._url}/{path}",
            method=method,
            data=json.dumps(dict(body)).encode() if body is not None else None,
            headers={"Authorization": f"token {self._token}", "Accept": accept, "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS, context=self._context) as answer:  # noqa: S310
                text = answer.read()
            return json.loads(text) if text else None
        except urllib.error.HTTPError as error:
            if error.code in allowed:
                return None
            raise HubUnavailable(f"{method} {path.partition('?')[0]}: the hub answers {error.code}") from error
        except (OSError, HTTPException, ValueError) as error:
            raise HubUnavailable(f"{method} {path.partition('?')[0]}: {error}") from error


def _ready_servers(user: Mapping[str, Any]) -> Iterator[Session]:
    for name, server in user["servers"].items():
        if not server.get("ready") or server.get("pending"):
            continue
        yield Session(
            user=str(user["name"]),
            server=str(name),
            started=_time(server.get("started")),
            state=server.get("state") or {},
            options=server.get("user_options") or {},
        )


def _time(told: Any) -> float | None:
    try:
        return datetime.fromisoformat(told).timestamp()
    except (TypeError, ValueError):
        return None
