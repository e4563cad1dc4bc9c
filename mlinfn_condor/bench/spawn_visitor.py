"""A person whose browser is a small HTTP client: signs in, clicks on Start, follows the progress, opens the page."""

import json
import time
from typing import Any

from mlinfn_condor.errors import MlinfnError

ANSWER_SECONDS = 60
START_SECONDS = 120


class Failed(MlinfnError):
    """The hub, or the server behind it, did not do what it was asked."""


class Visitor:
    """One signed-in user of a hub."""

    def __init__(self, url: str, name: str, password: str) -> None:
        import requests

        self.url, self.name, self._http = url, name, requests.Session()
        self._http.get(f"{url}hub/login", timeout=ANSWER_SECONDS)
        form = {"username": name, "password": password, "_xsrf": self._xsrf}
        answer = self._http.post(f"{url}hub/login", data=form, timeout=ANSWER_SECONDS)
        if answer.status_code != 200 or "/hub/login" in answer.url:
            raise Failed(f"{name} cannot sign in: HTTP {answer.status_code}")

    def start(self, options: dict[str, Any]) -> float:
        """Seconds from the click until the session's page answers through the proxy. Raises Failed."""
        began = time.monotonic()
        self._ask("POST", f"users/{self.name}/server", {201, 202}, json=options)
        self._follow()
        page = self._http.get(f"{self.url}user/{self.name}/api", timeout=ANSWER_SECONDS)
        if page.status_code != 200:
            raise Failed(f"{self.name}'s page answers HTTP {page.status_code}")
        return time.monotonic() - began

    def stop(self, seconds: float = 60) -> None:
        """End the session, and wait until the hub says that it is gone. Raises Failed."""
        self._ask("DELETE", f"users/{self.name}/server", {202, 204})
        deadline = time.monotonic() + seconds
        while self._ask("GET", f"users/{self.name}", {200}).json()["servers"]:
            if time.monotonic() > deadline:
                raise Failed(f"{self.name}'s session is not gone after {seconds:g} s")
            time.sleep(0.2)

    def _follow(self) -> None:
        """Read the hub's progress stream to its end."""
        answer = self._ask("GET", f"users/{self.name}/server/progress", {200}, stream=True)
        deadline = time.monotonic() + START_SECONDS
        with answer:
            for line in answer.iter_lines():
                event = json.loads(line[5:]) if line.startswith(b"data:") else {}
                if event.get("ready"):
                    return
                if event.get("failed"):
                    raise Failed(f"{self.name}: {event.get('message')}")
                if time.monotonic() > deadline:  # the stream says that it lives every 8 s
                    raise Failed(f"{self.name}: no session within {START_SECONDS} s")
        raise Failed(f"{self.name}: the hub told no end of the start")

    def _ask(self, method: str, path: str, wanted: set[int], **options: Any) -> Any:
        headers = {"X-XSRFToken": self._xsrf, "Referer": f"{self.url}hub/home"}
        address = f"{self.url}hub/api/{path}"
        answer = self._http.request(
            method, address, headers=headers, params={"_xsrf": self._xsrf}, timeout=ANSWER_SECONDS, **options
        )
        if answer.status_code not in wanted:
            raise Failed(f"{self.name}: {method} {path} answers HTTP {answer.status_code}: {answer.text[:200]}")
        return answer

    @property
    def _xsrf(self) -> str:
        return next(str(c.value) for c in self._http.cookies if c.name == "_xsrf" and c.path == "/hub/")
