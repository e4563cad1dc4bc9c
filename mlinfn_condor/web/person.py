"""Who looks, and how he came in."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from typing import Protocol

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from mlinfn_condor.web.drawing import render

COOKIE = "mlinfn-web"


@dataclass(frozen=True)
class Person:
    """Somebody who is signed in. `session` is a secret of his browser's; it is in no page and no repr."""

    name: str
    admin: bool
    session: str

    def __repr__(self) -> str:
        return f"Person({self.name!r}, admin={self.admin})"


class DoorShut(Exception):
    """Nobody can say just now who somebody is: the hub does not answer."""


class Door(Protocol):
    """Lets people in. Its methods may wait, and are called from threads."""

    hub: str
    """Address of the hub's pages; empty: there is no hub."""

    def person(self, request: Request) -> Person | None:
        """Whose browser this is; None: nobody's whom we know. Raises DoorShut."""
        ...

    def turn_away(self, request: Request) -> Response:
        """What a browser is told that wants a page and is nobody's: where to sign in."""
        ...

    def came_back(self, request: Request) -> Response:
        """The end of a sign-in elsewhere. Raises DoorShut."""
        ...


class Signature:
    """Proof that a form was ours: of this process and of one browser's session."""

    def __init__(self) -> None:
        self._key = secrets.token_bytes(32)

    def of(self, person: Person) -> str:
        """What the form carries."""
        return hmac.new(self._key, person.session.encode(), hashlib.sha256).hexdigest()

    def fits(self, person: Person, given: str) -> bool:
        """Whether it came from a form of this person's pages."""
        return hmac.compare_digest(self.of(person), given)


class SecretDoor:
    """For one person on his own machine: whoever knows the secret of the printed address is he.

    Others of the machine reach loopback too, so the address alone opens nothing.
    """

    hub = ""

    def __init__(self, name: str, root: str = "/") -> None:
        self.secret = secrets.token_urlsafe(24)
        self._name, self._root = name, root

    def person(self, request: Request) -> Person | None:
        """See Door."""
        given = request.cookies.get(COOKIE, "")
        known = hmac.compare_digest(given.encode(), self.secret.encode())
        return Person(self._name, admin=True, session=given) if known else None

    def turn_away(self, request: Request) -> Response:
        """See Door. With the secret in the address it becomes a cookie, and is gone from the address."""
        given = request.query_params.get("secret", "")
        if not hmac.compare_digest(given.encode(), self.secret.encode()):
            told = "Open the address that mlinfn web serve has printed: it holds the secret that lets you in."
            return Response(render("stranger.html", sentence=told), 403, media_type="text/html")
        answer = RedirectResponse(self._root, 303)
        answer.set_cookie(COOKIE, given, httponly=True, samesite="lax", path=self._root)
        return answer

    def came_back(self, request: Request) -> Response:
        """See Door. Nobody is sent elsewhere from here."""
        return RedirectResponse(self._root, 303)
