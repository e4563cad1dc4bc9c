"""`mlinfn hub up` and its friends: JupyterHub and its proxy under the pool's own master, which starts them again."""

import secrets
import shlex
import socket
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import HUB
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.processes import COMPANION
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.errors import EmbeddedPoolError
from mlinfn_condor.hub import certificates
from mlinfn_condor.hub.accounts import people
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.local import first_settings, proxy
from mlinfn_condor.hub.local.layout import HubLayout
from mlinfn_condor.hub.settings import HubSettings, read
from mlinfn_condor.settings import Settings

READY_SECONDS = 90
"""A hub answers within 4 s on an idle machine of 2 cores."""
STOP_SECONDS = 30
LOOK_SECONDS = 0.1

_COMPANIONS = """\
# Written by `mlinfn hub up`; empty after `mlinfn hub down`. The master starts them anew when they die.
DAEMON_LIST = $(DAEMON_LIST) HUB_PROXY HUB
HUB_PROXY = {proxy}
HUB_PROXY_ENVIRONMENT = "{mark}"
MASTER_HUB_PROXY_BACKOFF_CONSTANT = 1
MASTER_HUB_PROXY_BACKOFF_CEILING = 30
HUB = {hub}
HUB_ENVIRONMENT = "{mark}"
MASTER_HUB_BACKOFF_CONSTANT = 1
MASTER_HUB_BACKOFF_CEILING = 30
"""

_SCRIPT = """\
#!/bin/sh
# Written by `mlinfn hub up`; the pool's master runs it.
{exports}exec {command} >>{log} 2>&1
"""


@dataclass(frozen=True)
class RunningHub:
    """A hub that answers."""

    layout: HubLayout
    settings: HubSettings
    found: bool
    """True when it was already up."""

    @property
    def passwords(self) -> dict[str, str]:
        """Of the accounts that were made for the embedded pool's people."""
        return people.kept(Store(self.settings.accounts_folder))

    @property
    def url(self) -> str:
        """What users open."""
        return f"{self.settings.addresses.public}/"


def up(settings: Settings, report: Report) -> RunningHub:
    """Bring the hub up on this user's pool, and the pool if need be. Raises EmbeddedPoolError with the log's line."""
    pool = lifecycle.up(settings, report)
    layout = HubLayout(pool.layout)
    command = proxy.ensure(settings, report)
    layout.folder.mkdir(mode=0o700, exist_ok=True)
    if not layout.settings.exists():
        layout.settings.write_text(first_settings.text(layout, pool))
    hub = read(layout.settings)
    people.ensure(Store(hub.accounts_folder), hub.accounts.members)
    found = answers(hub)
    if not found:
        _write(layout, pool, hub, command)
        with report.step("bring the hub up"):
            lifecycle.reconfigure(settings)
            _wait_until_ready(layout, hub)
    return RunningHub(layout, hub, found)


def down(settings: Settings) -> bool:
    """Take hub and proxy down; sessions run on, and are there again after the next `up`. False if none ran."""
    layout = HubLayout(lifecycle.running(settings).layout)
    if not layout.settings.exists():
        return False
    hub = read(layout.settings)
    ran = answers(hub)
    layout.pool.companions.write_text("")
    lifecycle.reconfigure(settings)
    deadline = time.monotonic() + STOP_SECONDS
    # The hub goes after its proxy: an `up` that still met it would take it for the new one.
    while _listens(hub.addresses.public) or _listens(hub.addresses.hub):
        if time.monotonic() > deadline:
            raise EmbeddedPoolError(f"the hub at {hub.addresses.public} does not end: see {layout.log('hub')}")
        time.sleep(LOOK_SECONDS)
    return ran


def running(settings: Settings) -> RunningHub:
    """The hub that is up. Raises EmbeddedPoolError."""
    layout = HubLayout(lifecycle.running(settings).layout)
    if not layout.settings.exists() or not answers(hub := read(layout.settings)):
        raise EmbeddedPoolError(f"pool {settings.pool} has no hub that answers: `mlinfn hub up` starts it")
    return RunningHub(layout, hub, found=True)


def answers(hub: HubSettings) -> bool:
    """Whether the hub answers through its proxy."""
    return http_status(hub.addresses.public, "/hub/health") == 200


def _write(layout: HubLayout, pool: RunningPool, hub: HubSettings, command: list[str]) -> None:
    if not layout.proxy_secret.exists():
        write_private(layout.proxy_secret, secrets.token_hex(32).encode())
    # Imports nothing but what the hub's own process needs: errors appear in its log.
    layout.configuration.write_text(
        "from pathlib import Path\n\nfrom mlinfn_condor.hub.configuration import configure\n\n"
        f"configure(get_config(), Path({str(layout.settings)!r}))  # noqa: F821\n"
    )
    token = f'CONFIGPROXY_AUTH_TOKEN="$(cat {layout.proxy_secret})"'
    identity = {
        name: value
        for name, value in pool.environment(HUB).items()
        if name in ("CONDOR_CONFIG", "_CONDOR_SEC_TOKEN_DIRECTORY")
    }
    # The window looks for this pool's files, and for this user's private database.
    place = {"MLINFN_HOME": str(pool.settings.home), "MLINFN_POOL": pool.settings.pool}
    exports = [token, *(f"{name}={shlex.quote(value)}" for name, value in (identity | place).items())]
    hub_command = f"{sys.executable} -m mlinfn_condor.hub -f {layout.configuration}"
    _script(layout, "hub", exports, hub_command)
    _script(layout, "proxy", [token], " ".join([*command, *_proxy_arguments(hub)]), _proxys_files(hub))
    mark = f"{COMPANION}={layout.pool.folder}"
    layout.pool.companions.write_text(
        _COMPANIONS.format(proxy=layout.script("proxy"), hub=layout.script("hub"), mark=mark)
    )


def _script(layout: HubLayout, name: str, exports: list[str], command: str, first: str = "") -> None:
    script = layout.script(name)
    script.write_text(
        _SCRIPT.format(
            exports="".join(f"export {export}\n" for export in exports) + first,
            command=command,
            log=layout.log(name),
        )
    )
    script.chmod(0o700)


def _proxy_arguments(hub: HubSettings) -> Iterator[str]:
    public, api = urlsplit(hub.addresses.public), urlsplit(hub.addresses.proxy_api)
    yield from (f"--ip={public.hostname}", f"--port={public.port}")
    yield from (f"--api-ip={api.hostname}", f"--api-port={api.port}")
    # A proxy that starts before its hub, or without it, says so in words.
    yield from (f"--error-target={hub.addresses.hub_url}/hub/error", f"--default-target={hub.addresses.hub_url}")
    if hub.addresses.internal_tls:
        yield from certificates.proxy_arguments(hub.certificates_folder)


def _proxys_files(hub: HubSettings) -> str:
    """The hub makes them before it listens; both are started at once."""
    if not hub.addresses.internal_tls:
        return ""
    return f"until [ -s {certificates.proxys_last_file(hub.certificates_folder)} ]; do sleep 0.1; done\n"


def _wait_until_ready(layout: HubLayout, hub: HubSettings) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while not answers(hub):
        if time.monotonic() > deadline:
            layout.pool.companions.write_text("")
            raise EmbeddedPoolError(f"the hub did not come up: {_complaint(layout)}")
        time.sleep(LOOK_SECONDS)


def _complaint(layout: HubLayout) -> str:
    for log in (layout.log("hub"), layout.log("proxy")):
        lines = log.read_text(errors="replace").splitlines() if log.exists() else []
        if told := [line for line in lines[-200:] if "rror" in line]:
            return f"{log}: {told[-1]}"
    return f"see {layout.log('hub')}"


def http_status(address: str, path: str) -> int | None:
    """HTTP status of a page; None: nobody answers."""
    where = urlsplit(address)
    connection = HTTPConnection(where.hostname or "", where.port, timeout=5)
    try:
        connection.request("GET", path)
        return connection.getresponse().status
    except (OSError, HTTPException):
        return None
    finally:
        connection.close()


def _listens(address: str) -> bool:
    where = urlsplit(address)
    try:
        socket.create_connection((where.hostname or "", where.port or 80), timeout=5).close()
    except OSError:
        return False
    return True
