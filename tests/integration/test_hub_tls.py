"""The port of a session on a real hub and pool: it takes the hub's proxy and the hub, and nobody else."""

import json
import ssl
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub import certificates
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.session.folder import SessionFolder
from mlinfn_condor.settings import Settings


@pytest.fixture(scope="module")
def hub(pool_home: Path) -> Iterator[RunningHub]:
    settings = Settings(home=pool_home, pool="tls")
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


class Guest:
    """A person with a session, and what lies in its folder."""

    def __init__(self, hub: RunningHub, name: str) -> None:
        self.visitor = Visitor.sign_in(hub, name)
        events = list(self.visitor.start())
        assert events[-1].get("ready"), events
        (found,) = hub.layout.pool.homes.glob(f"{name}/.mlinfn/sessions/*")
        self.folder = SessionFolder(found)
        server = self.folder.server_or_none()
        assert server is not None
        self.url = urlsplit(server.url)

    def ask(self, context: ssl.SSLContext | None) -> int:
        """HTTP status that the session itself gives to somebody who has its user's token, past the proxy."""
        host, port = str(self.url.hostname), self.url.port
        if context is None:
            connection: HTTPConnection = HTTPConnection(host, port, timeout=20)
        else:
            connection = HTTPSConnection(host, port, timeout=20, context=context)
        try:
            connection.request(
                "GET", f"{self.url.path}api/status", headers={"Authorization": f"token {self.visitor.token}"}
            )
            return connection.getresponse().status
        finally:
            connection.close()


@pytest.fixture(scope="module")
def alice(hub: RunningHub) -> Guest:
    return Guest(hub, "alice")


@pytest.fixture(scope="module")
def bob(hub: RunningHub) -> Guest:
    return Guest(hub, "bob")


def client(trusted: Path, shown: tuple[Path, Path] | None) -> ssl.SSLContext:
    """Somebody who trusts these, and shows a certificate with its key."""
    context = ssl.create_default_context(cafile=str(trusted))
    if shown:
        context.load_cert_chain(*shown)
    return context


def proxys(hub: RunningHub) -> ssl.SSLContext:
    folder = hub.settings.certificates_folder
    shown = (folder / "proxy-client" / "proxy-client.crt", folder / "proxy-client" / "proxy-client.key")
    return client(folder / "proxy-client-ca_trust.crt", shown)


def test_sessions_are_reached_through_the_proxy_as_ever(hub: RunningHub, alice: Guest) -> None:
    import requests

    headers = {"Authorization": f"token {alice.visitor.token}"}
    answer = requests.get(f"{hub.url}user/alice/api/status", headers=headers, timeout=20)
    assert answer.status_code == 200
    assert alice.url.scheme == "https"


def test_the_port_takes_the_proxys_certificate(hub: RunningHub, alice: Guest) -> None:
    assert alice.ask(proxys(hub)) == 200


def test_the_port_takes_nobody_without_a_certificate_whatever_token_he_has(hub: RunningHub, alice: Guest) -> None:
    with pytest.raises((OSError, HTTPException)):
        alice.ask(None)
    with pytest.raises((OSError, HTTPException)):
        alice.ask(client(hub.settings.certificates_folder / "proxy-client-ca_trust.crt", None))


def test_the_port_takes_no_other_sessions_certificate(hub: RunningHub, alice: Guest, bob: Guest) -> None:
    mine = certificates.paths(bob.folder.path)
    shown = (Path(mine["certfile"]), Path(mine["keyfile"]))
    with pytest.raises((OSError, HTTPException)):
        alice.ask(client(hub.settings.certificates_folder / "proxy-client-ca_trust.crt", shown))


def test_keys_are_nobody_elses_to_read(hub: RunningHub, alice: Guest) -> None:
    told = json.loads(alice.folder.environment_file.read_text())
    for name in ("JUPYTERHUB_SSL_KEYFILE", "JUPYTERHUB_SSL_CERTFILE", "JUPYTERHUB_SSL_CLIENT_CA"):
        file = Path(told[name])
        assert file.parent == alice.folder.path
        assert file.stat().st_mode & 0o077 == 0
    for key in hub.settings.certificates_folder.rglob("*.key"):
        assert key.stat().st_mode & 0o077 == 0, key


def test_a_hub_that_starts_anew_knows_the_session(hub: RunningHub, alice: Guest) -> None:
    settings = Settings(home=hub.layout.pool.folder.parent.parent, pool="tls")
    assert lifecycle.down(settings)
    lifecycle.up(settings, SilentReport())
    assert alice.visitor._ask("GET", "").json()["servers"][""]["ready"]
    assert alice.ask(proxys(hub)) == 200
