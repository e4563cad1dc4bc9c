"""A person's program that speaks to a hub: signs in, starts, follows, stops."""

import json
import time
from collections.abc import Callable, Iterator

import requests


def wait_until(true: Callable[[], object], seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what}"
        time.sleep(0.1)


class Person:
    """One signed-in user of a hub."""

    def __init__(self, url: str, name: str, password: str) -> None:
        self.url, self.name, self.http = url, name, requests.Session()
        self.http.get(f"{url}hub/login", timeout=30)
        form = {"username": name, "password": password, "_xsrf": self._xsrf}
        self.answer = self.http.post(f"{url}hub/login", data=form, timeout=30)

    @property
    def _xsrf(self) -> str:
        return next(cookie.value for cookie in self.http.cookies if cookie.name == "_xsrf" and cookie.path == "/hub/")

    def ask(self, method: str, path: str, **options) -> requests.Response:
        headers = {"X-XSRFToken": self._xsrf, "Referer": f"{self.url}hub/home"}
        return self.http.request(method, f"{self.url}hub/{path}", headers=headers, timeout=60, **options)

    def start(self, server: str = "", **options) -> list[dict]:
        """All events of the start, the last of which says how it ended."""
        self.begin(server, **options)
        return list(self.progress(server))

    def begin(self, server: str = "", **options) -> None:
        """Ask for it, and do not wait."""
        path = f"servers/{server}" if server else "server"
        answer = self.ask("POST", f"api/users/{self.name}/{path}", json=options, params={"_xsrf": self._xsrf})
        assert answer.status_code in (201, 202), answer.text

    def progress(self, server: str = "") -> Iterator[dict]:
        path = f"servers/{server}" if server else "server"
        with self.ask("GET", f"api/users/{self.name}/{path}/progress", stream=True) as answer:
            for line in answer.iter_lines():
                if line.startswith(b"data:"):
                    yield json.loads(line[5:])

    def stop(self, server: str = "") -> None:
        path = f"servers/{server}" if server else "server"
        answer = self.ask("DELETE", f"api/users/{self.name}/{path}", params={"_xsrf": self._xsrf})
        assert answer.status_code in (202, 204), answer.text
        wait_until(lambda: server not in self.servers(), 40, f"{self.name}'s server is gone")

    def servers(self) -> dict[str, dict]:
        return self.ask("GET", f"api/users/{self.name}").json()["servers"]

    def session(self, path: str, server: str = "") -> requests.Response:
        """What the session itself answers, through the proxy."""
        where = f"user/{self.name}/{server}/" if server else f"user/{self.name}/"
        answer = self.http.get(f"{self.url}{where}{path}", timeout=20)
        if answer.status_code == 403:  # a page sends a browser to the hub and back, signed in; an API does not
            self.http.get(f"{self.url}{where}lab", timeout=20)
            answer = self.http.get(f"{self.url}{where}{path}", timeout=20)
        return answer
