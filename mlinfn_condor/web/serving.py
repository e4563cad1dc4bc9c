"""The window as a process: on loopback for who runs it, or behind JupyterHub's proxy for everybody signed in."""

import getpass
import os
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import uvicorn

from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.errors import EmbeddedPoolError, UserError
from mlinfn_condor.hub import window as behind_hub
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.hub.tokens import Issuer
from mlinfn_condor.pool.apart import PoolApart
from mlinfn_condor.pool.leases import RealLeases
from mlinfn_condor.services.settings import ServicesSettings
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import dsn_of_site
from mlinfn_condor.store.local import REPORTS, SCHEDULES
from mlinfn_condor.web.administration import Places
from mlinfn_condor.web.application import application
from mlinfn_condor.web.hands import OwnHands, SignedHands
from mlinfn_condor.web.person import SecretDoor
from mlinfn_condor.web.settings import WebSettings
from mlinfn_condor.web.window import Window, window

if TYPE_CHECKING:
    from mlinfn_condor.web.hub_door import HubDoor

LOOPBACK = "127.0.0.1"
GRACE_SECONDS = 1
"""Streams never end by themselves: whoever stops the server need not wait for them."""


def alone(port: int | None, dsn: str | None, told: Callable[[str], None]) -> None:
    """Until it is stopped, for the one who runs it; `told` hears the address, which holds his secret."""
    settings = WebSettings()
    door = SecretDoor(_own_name())
    hands = OwnHands(PoolApart(settings.patience_seconds))
    made = window(settings, door, hands, _reports(dsn), places(dsn))
    listening = _listen(LOOPBACK, settings.port if port is None else port)
    told(f"http://{LOOPBACK}:{listening.getsockname()[1]}/?secret={door.secret}")
    _serve(made, listening)


def as_service(site: HubSettings, environment: Mapping[str, str]) -> None:
    """Until the hub stops it; the environment is what JupyterHub gives its services."""
    from mlinfn_condor.web.hub_door import HubDoor

    made = _behind_hub(site, HubDoor(secure=site.addresses.public.startswith("https:")), places(None))
    where = urlsplit(environment["JUPYTERHUB_SERVICE_URL"])
    _serve(made, _listen(where.hostname or LOOPBACK, where.port or 0), environment)


@dataclass(frozen=True)
class Elsewhere:
    """A window that not the hub starts."""

    token_file: Path
    hub: str
    """Address of the hub through its proxy: the hub's own port takes nobody without a certificate."""
    listen: str
    """`HOST:PORT`."""


def beside_hub(site: HubSettings, where: Elsewhere) -> None:
    """Until it is stopped, in a container of its own. Raises UserError."""
    from mlinfn_condor.web.hub_door import HubDoor, of_hub

    auth = of_hub(where.hub, behind_hub.secret(where.token_file))
    door = HubDoor(auth, secure=site.addresses.public.startswith("https:"))
    host, _, port = where.listen.rpartition(":")
    _serve(_behind_hub(site, door, places_of_cluster()), _listen(host, int(port)))


def _behind_hub(site: HubSettings, door: "HubDoor", seen: Places) -> Window:
    settings = WebSettings()
    hands = SignedHands(Issuer(site.tokens.key_file, site.tokens.trust_domain), settings.patience_seconds)
    return window(
        settings, door, hands, _reports(None), seen, root=door.root,
        home_of=lambda name: Path(site.sessions.homes.format(username=name)),
    )  # fmt: skip


def places_of_cluster() -> Places:
    """Where an administrator's sheets come from in a pod: services and backups are others', and Prometheus has them."""
    return Places(journal=AccountingSettings().events, dsn=_reports(None), leases=RealLeases)


def places(dsn: str | None) -> Places:
    """Where an administrator's sheets come from on this machine."""
    from mlinfn_condor.backup.running import Room
    from mlinfn_condor.embedded.layout import Layout

    settings = Settings()
    layout = Layout(settings.pool_folder)
    return Places(
        services=ServicesSettings().state,
        journal=layout.glidein_journal,
        backup=Room(settings.home.absolute() / "backup" / settings.pool).record,
        dsn=_reports(dsn),
        schedules_dsn=lambda: dsn_of_site(dsn, role=SCHEDULES),
        leases=RealLeases,
    )


def find_pool() -> None:
    """Let this process and its children find the pool: CONDOR_CONFIG's, else the embedded one if it is up."""
    if "CONDOR_CONFIG" not in os.environ:
        from mlinfn_condor.embedded import lifecycle

        settings = Settings()
        os.environ.update(lifecycle.running(settings).environment(settings.user))


def _own_name() -> str:
    from mlinfn_condor.embedded import lifecycle

    settings = Settings()
    if settings.user:
        return settings.user
    try:
        running = lifecycle.running(settings)
    except EmbeddedPoolError:
        return getpass.getuser()
    own = os.environ.get("CONDOR_CONFIG") == str(running.layout.condor_config)
    return _first_user(running.environment(None)) if own else getpass.getuser()


def _first_user(environment: Mapping[str, str]) -> str:
    return Path(environment["MLINFN_USER_HOME"]).name


def _reports(dsn: str | None) -> Callable[[], str]:
    return lambda: dsn_of_site(dsn, role=REPORTS)


def _listen(host: str, port: int) -> socket.socket:
    listening = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise UserError(f"cannot listen at {host}:{port}: {error.strerror or error}; choose another --port") from error
    listening.listen(128)  # who is told the address may come before the server takes him in
    return listening


def _serve(made: Window, listening: socket.socket, environment: Mapping[str, str] | None = None) -> None:
    given = environment or {}
    tls = given.get("JUPYTERHUB_SSL_KEYFILE", "")
    config = uvicorn.Config(
        application(made),
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=GRACE_SECONDS,
        ssl_keyfile=tls or None,
        ssl_certfile=given.get("JUPYTERHUB_SSL_CERTFILE") or None,
        ssl_ca_certs=given.get("JUPYTERHUB_SSL_CLIENT_CA") or None,
        # Behind the hub nobody but its proxy may come in.
        ssl_cert_reqs=ssl.CERT_REQUIRED if tls else ssl.CERT_NONE,
    )
    uvicorn.Server(config).run(sockets=[listening])
