"""A person at the hub, as far as a browser's requests go: signs in, starts a session, reads what happens."""

import json
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import requests

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.local.lifecycle import RunningHub

ANSWER_SECONDS = 60
LOOK_SECONDS = 0.5


class HubRefused(MlinfnError):
    """The hub did not do what a signed-in person may ask of it; the message is its own."""


@dataclass(frozen=True)
class Visitor:
    """One signed-in person."""

    hub: RunningHub
    user: str
    token: str
    """Opens the hub's API and the person's sessions."""

    @classmethod
    def sign_in(cls, hub: RunningHub, user: str) -> "Visitor":
        """With the password that the embedded pool's hub made for the person."""
        browser = requests.Session()
        browser.get(f"{hub.url}hub/login", timeout=ANSWER_SECONDS)
        form = {"username": user, "password": hub.passwords[user], "_xsrf": _xsrf(browser)}
        browser.post(f"{hub.url}hub/login", data=form, timeout=ANSWER_SECONDS)
        answer = browser.post(
            f"{hub.url}hub/api/users/{user}/tokens",
            json={"note": "mlinfn demo", "expires_in": 3600},
            headers={"X-XSRFToken": _xsrf(browser)},
            params={"_xsrf": _xsrf(browser)},
            timeout=ANSWER_SECONDS,
        )
        if answer.status_code != 201:
            raise HubRefused(f"{user} could not sign in at {hub.url}: {answer.text[:200]}")
        return cls(hub, user, answer.json()["token"])

    def start(self, **options: Any) -> Iterator[dict[str, Any]]:
        """Start the default session; each event of its progress as it comes. Raises HubRefused."""
        answer = self._ask("POST", "server", json=options)
        if answer.status_code not in (201, 202):
            raise HubRefused(f"the hub does not start {self.user}'s session: {answer.text[:300]}")
        with self._ask("GET", "server/progress", stream=True) as events:
            for line in events.iter_lines():
                if line.startswith(b"data:"):
                    event = json.loads(line[len(b"data:") :])
                    if event.get("failed"):
                        raise HubRefused(event["message"])
                    yield event

    def stop(self) -> None:
        """Stop what is left of an earlier visit, and wait until it is gone. Raises HubRefused."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while self._ask("GET", "").json().get("servers"):
            self._ask("DELETE", "server")
            if time.monotonic() > deadline:
                raise HubRefused(f"an earlier session of {self.user} does not end: see {self.hub.layout.log('hub')}")
            time.sleep(LOOK_SECONDS)

    def _ask(self, method: str, path: str, **options: Any) -> requests.Response:
        address = f"{self.hub.url}hub/api/users/{self.user}/{path}".rstrip("/")
        headers = {"Authorization": f"token {self.token}"}
        return requests.request(method, address, headers=headers, timeout=ANSWER_SECONDS, **options)


def _xsrf(browser: requests.Session) -> str:
    values = {cookie.path: cookie.value or "" for cookie in browser.cookies if cookie.name == "_xsrf"}
    return values.get("/hub/") or next(iter(values.values()), "")
