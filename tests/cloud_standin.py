"""A small OpenStack on a port of its own: Keystone and Nova, as far as the real SDK needs them to list servers."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Event, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

PASSWORD = "open sesame"
OWN = "9f0000000000000000000000000000aa"
"""Id of the project whose account signs in; its name is `hosting`."""
FLAVOR_IS_TOLD = 61
"""Compute API 2.61 and newer tell a server's flavor with its extra specs."""


def server(number: int, name: str, **said: Any) -> dict[str, Any]:
    """A running server with two T4, as Nova writes one; `said` replaces or adds."""
    told = {
        "id": f"{number:08x}-0000-4000-8000-000000000000",
        "name": name,
        "tenant_id": OWN,
        "status": "ACTIVE",
        "created": "2026-01-10T08:00:00Z",
        "updated": "2026-01-10T09:00:00Z",
        "OS-SRV-USG:launched_at": "2026-01-10T08:01:00.000000",
        "OS-SRV-USG:terminated_at": None,
        "metadata": {},
        "flavor": {
            "original_name": "gpu.2",
            "vcpus": 16,
            "ram": 65536,
            "disk": 100,
            "ephemeral": 0,
            "swap": 0,
            "extra_specs": {"pci_passthrough:alias": "t4:2", "hw:cpu_policy": "dedicated"},
        },
    }
    return told | said


class Cloud:
    """What it has, and what was asked of it."""

    def __init__(self) -> None:
        self.servers: list[dict[str, Any]] = []
        self.projects: dict[str, str] = {OWN: "hosting"}
        self.page = 2
        """Servers in one answer, however many are asked for."""
        self.fails_at: str | None = None
        """Beginning of the path, with its query, that is answered with `failure`; also `hang`."""
        self.failure = 503
        self.hang: Event | None = None
        self.asked: list[str] = []
        self.address = ""

    def settings(self, folder: Path, **said: Any) -> Path:
        """A clouds.yaml (JSON is YAML) with the cloud `test`."""
        auth = {
            "auth_url": f"{self.address}/identity/v3",
            "username": "accounting",
            "password": PASSWORD,
            "project_id": OWN,
            "user_domain_id": "default",
        }
        path = folder / "clouds.yaml"
        path.write_text(json.dumps({"clouds": {"test": {"auth": auth, "region_name": "RegionOne", **said}}}))
        return path

    def answer(self, method: str, path: str, body: Any, asked: Mapping[str, str]) -> tuple[int, Any, dict[str, str]]:
        """Status, JSON and headers."""
        self.asked.append(f"{method} {path}")
        if self.fails_at is not None and path.startswith(self.fails_at):
            if self.hang is not None:
                self.hang.wait()
            return self.failure, {"error": {"code": self.failure, "message": "so it is said in the test"}}, {}
        parts = urlsplit(path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        if parts.path.rstrip("/") in ("/identity", "/identity/v3"):
            return 200, {"version": self._version("identity/v3", id="v3.14", status="stable")}, {}
        if parts.path == "/identity/v3/auth/tokens":
            return self._token(body)
        if parts.path == "/identity/v3/projects":
            named = [{"id": key, "name": name} for key, name in self.projects.items()]
            return 200, {"projects": named, "links": {}}, {}
        if parts.path.rstrip("/") == "/compute/v2.1":
            found = self._version("compute/v2.1", id="v2.1", status="CURRENT", min_version="2.1", version="2.96")
            return 200, {"version": found}, {}
        if parts.path == "/compute/v2.1/servers/detail":
            version = asked.get("OpenStack-API-Version", "compute 2.1").removeprefix("compute ")
            return 200, self._servers(query, new=int(version.partition(".")[2]) >= FLAVOR_IS_TOLD), {}
        return 404, {"error": {"code": 404, "message": f"no {path} in the stand-in"}}, {}

    def _token(self, body: Any) -> tuple[int, Any, dict[str, str]]:
        if body["auth"]["identity"]["password"]["user"]["password"] != PASSWORD:
            return 401, {"error": {"code": 401, "message": "The request you have made requires authentication."}}, {}
        token = {
            "methods": ["password"],
            "user": {"id": "u1", "name": "accounting", "domain": {"id": "default", "name": "Default"}},
            "project": {"id": OWN, "name": "hosting", "domain": {"id": "default", "name": "Default"}},
            "roles": [{"id": "r1", "name": "reader"}],
            "issued_at": "2026-01-01T00:00:00.000000Z",
            "expires_at": "2126-01-01T00:00:00.000000Z",
            "catalog": [self._service("compute", "compute/v2.1/"), self._service("identity", "identity/v3")],
        }
        return 201, {"token": token}, {"X-Subject-Token": "secret"}

    def _version(self, path: str, **said: str) -> dict[str, Any]:
        return {"links": [{"rel": "self", "href": f"{self.address}/{path}/"}], **said}

    def _service(self, kind: str, path: str) -> dict[str, Any]:
        endpoint = {"id": kind, "interface": "public", "region": "RegionOne", "region_id": "RegionOne"}
        return {"type": kind, "id": kind, "name": kind, "endpoints": [endpoint | {"url": f"{self.address}/{path}"}]}

    def _servers(self, query: dict[str, str], new: bool) -> dict[str, Any]:
        """Deleted ones only to who asks what changed, as Nova does it."""
        everybody = "all_tenants" in query
        changed = query.get("changes-since")
        told = [s for s in self.servers if everybody or s["tenant_id"] == OWN]
        told = (
            [s for s in told if s["updated"] >= changed[:19]]
            if changed
            else [s for s in told if s["status"] != "DELETED"]
        )
        ids = [s["id"] for s in told]
        first = ids.index(query["marker"]) + 1 if "marker" in query else 0
        page = told[first : first + self.page]
        answer: dict[str, Any] = {"servers": page if new else [s | {"flavor": {"id": "1", "links": []}} for s in page]}
        if first + self.page < len(told):
            rest = "&".join(f"{name}={value}" for name, value in query.items() if name != "marker")
            href = f"{self.address}/compute/v2.1/servers/detail?{rest}&marker={page[-1]['id']}"
            answer["servers_links"] = [{"rel": "next", "href": href}]
        return answer


@contextmanager
def running() -> Iterator[Cloud]:
    """A cloud that answers on a loopback port."""
    cloud = Cloud()

    class Handler(BaseHTTPRequestHandler):
        def _say(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            status, told, headers = cloud.answer(self.command, self.path, body, self.headers)
            text = json.dumps(told).encode()
            self.send_response(status)
            for name, value in {
                "Content-Type": "application/json",
                "Content-Length": str(len(text)),
                **headers,
            }.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(text)

        do_GET = do_POST = _say  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    listener = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    listener.daemon_threads = True
    cloud.address = f"http://127.0.0.1:{listener.server_port}"
    Thread(target=listener.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    yield cloud
    if cloud.hang is not None:
        cloud.hang.set()
    listener.shutdown()
    listener.server_close()
