"""A site's hub and proxy as its manifests start them, with rendered settings; names and ports are this machine's."""

import shutil
import sys
import tempfile
from collections.abc import Iterator
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import pytest
from postgres import wait_until
from site_containers import ROOT, Container, free_port, pool, running

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import proxy
from mlinfn_condor.settings import Settings


@pytest.fixture(scope="module")
def ports() -> dict[str, int]:
    return {name: free_port() for name in ("hub", "public", "orders")}


@pytest.fixture(scope="module")
def hub(installed: Distribution, ports: dict[str, int]) -> Iterator[Container]:
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    with pool(folder, installed) as containers:
        client = containers["client"]
        for name in ("hub.toml", "jupyterhub_config.py"):
            file = client.folder / "etc" / "hub" / name
            text = file.read_text().replace("//hub:8081", f"//127.0.0.1:{ports['hub']}")
            text = text.replace("//proxy:8001", f"//127.0.0.1:{ports['orders']}")
            file.write_text(text.replace('"https://:8081"', f'"https://127.0.0.1:{ports["hub"]}"'))
        (client.folder / "lib" / "hub").mkdir()
        more = {
            "MLINFN_HUB": f"https://127.0.0.1:{ports['hub']}",
            "MLINFN_PROXY_IP": "127.0.0.1",
            "MLINFN_PROXY_PORT": str(ports["public"]),
            "MLINFN_PROXY_API_PORT": str(ports["orders"]),
            "MLINFN_PROXY": str(_program(folder)),
            "PATH": f"{Path(sys.executable).parent}:{client.environment['PATH']}",
        }
        ready = Container("client", client.folder, client.environment | more)
        configuration = str(client.folder / "etc" / "hub" / "jupyterhub_config.py")
        certificates = str(client.folder / "lib" / "hub" / "certificates")
        with running(ready, sys.executable, "-m", "mlinfn_condor.hub", "-f", configuration) as started:
            own = {"MLINFN_SECRETS_TO": str(folder / "proxy" / "secrets")}
            aside = Container("proxy", _folder(folder / "proxy"), ready.environment | own)
            with running(aside, str(ROOT / "images" / "start-proxy"), certificates):
                yield started
    shutil.rmtree(folder, ignore_errors=True)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def _program(folder: Path) -> Path:
    """The proxy as one word, as the image has it."""
    file = folder / "configurable-http-proxy"
    file.write_text(f'#!/bin/sh\nexec {" ".join(proxy.ensure(Settings(), SilentReport()))} "$@"\n')
    file.chmod(0o700)
    return file


def status(port: int, path: str) -> int | None:
    connection = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def test_browsers_reach_the_hub_through_the_proxy_and_the_probe_says_so(hub, ports):
    try:
        wait_until(lambda: status(ports["public"], "/hub/health") == 200, 60, "the hub answers through its proxy")
    except BaseException:
        print((hub.folder / "output").read_text()[-3000:])  # noqa: T201
        raise
    assert status(ports["public"], "/_chp_healthz") == 200
    assert status(ports["public"], "/hub/login") == 200
    certificates = str(hub.folder / "lib" / "hub" / "certificates")
    asked = hub.probe("hub-answers", certificates, f"https://127.0.0.1:{ports['hub']}")
    assert (asked.returncode, asked.stderr) == (0, "")


def test_a_hub_that_is_away_or_has_made_no_certificates_does_not_answer(hub, tmp_path):
    certificates = str(hub.folder / "lib" / "hub" / "certificates")
    away = hub.probe("hub-answers", certificates, f"https://127.0.0.1:{free_port()}", seconds=2)
    assert away.returncode == 1
    assert "the hub: " in away.stderr
    new = hub.probe("hub-answers", str(tmp_path), seconds=2)
    assert (new.returncode, "no certificates yet" in new.stderr) == (1, True)


def test_the_hub_writes_the_projects_of_its_people_where_access_points_read_them(hub):
    written = hub.folder / "lib" / "shared" / "projects.map"
    wait_until(written.exists, 30, "the map is written")
    assert "* alice alpha" in written.read_text()
