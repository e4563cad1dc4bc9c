"""What stands beside `free` and `full`: batchspawner's CondorSpawner on the same pool, HTCondor's default intervals.

It gets what a site must give it in any case (a home, an address that the hub reaches, the class of its jobs); all else
is its own default. Its users share one identity of the pool, because it can submit in nobody's name without sudo.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urlsplit

from mlinfn_condor.bench import beside
from mlinfn_condor.bench.figures import Beside, starts
from mlinfn_condor.bench.spawn_browser import browser, open_lab, sign_in
from mlinfn_condor.bench.spawn_stand import HubStand
from mlinfn_condor.bench.spawn_visitor import Failed, Visitor
from mlinfn_condor.embedded import ports, processes
from mlinfn_condor.embedded.processes import COMPANION
from mlinfn_condor.errors import EmbeddedPoolError, Timeout
from mlinfn_condor.hub.local import proxy

NAME = "batchspawner's CondorSpawner, HTCondor's default intervals"
OVERRIDES = beside.OVERRIDES
PASSWORD = "bench"  # noqa: S105 - of a hub on loopback that lives for minutes
UP_SECONDS = 60
STOP_SECONDS = 30
BOUND_SECONDS = 400
"""HTCondor's default schedd counts its queue every 300 s, its negotiator runs every 60 s: a start can take both."""

_CONFIGURATION = """\
import batchspawner
from traitlets import default


class CondorSpawner(batchspawner.CondorSpawner):
    # The bench's people have no accounts on this machine.
    @default("req_homedir")
    def _home(self):
        return {home!r}

    def user_env(self, env):
        return env | {{"HOME": {home!r}}}


c = get_config()
c.JupyterHub.redirect_to_server = False  # who signs in has not clicked on Start yet
c.JupyterHub.bind_url = {public!r}
c.JupyterHub.hub_bind_url = c.JupyterHub.hub_connect_url = {hub!r}
c.JupyterHub.db_url = "sqlite:///{folder}/hub.sqlite"
c.JupyterHub.cookie_secret_file = "{folder}/cookie-secret"
c.ConfigurableHTTPProxy.api_url = {api!r}
c.ConfigurableHTTPProxy.command = {command!r}
c.ConfigurableHTTPProxy.pid_file = "{folder}/proxy.pid"
c.JupyterHub.authenticator_class = "dummy"
c.DummyAuthenticator.password = {password!r}
c.Authenticator.allow_all = True
c.JupyterHub.spawner_class = CondorSpawner
c.BatchSpawnerBase.exec_prefix = ""
c.BatchSpawnerBase.batchspawner_singleuser_cmd = "env HOME={home} batchspawner-singleuser"
c.BatchSpawnerBase.req_memory = "2048"
c.BatchSpawnerBase.req_nprocs = "1"
c.BatchSpawnerBase.req_options = 'request_gpus = 1\\n+PriorityClass = "interactive"'
c.Spawner.env_keep = ["PATH", "CONDOR_CONFIG", "_CONDOR_SEC_TOKEN_DIRECTORY"]
c.Spawner.ip = "0.0.0.0"
c.Spawner.default_url = "/lab"
c.Spawner.start_timeout = {bound}
"""


def measure(stand: HubStand, repeats: int, case: str) -> Beside:
    """People's clicks there, each of whom sees JupyterLab within the bound or counts in `failed`."""
    seconds: list[float] = []
    failures: list[str] = []
    told = f"{case}: {repeats} people beside, with batchspawner"
    with _hub(stand) as url, browser() as program, stand.report.step(told, repeats) as step:
        for user in stand.plan.names[:repeats]:
            try:
                stand.wait_until_full()
                with sign_in(program, url, user, PASSWORD) as page:
                    began = time.monotonic()
                    # It has no form: this is what its button leads to.
                    page.goto(f"{url}hub/spawn/{user}", wait_until="commit")
                    seconds.append(open_lab(page, began, BOUND_SECONDS))
            except Timeout as error:
                failures.append(f"{user}: {error}")
            with suppress(Failed, OSError):
                Visitor(url, user, PASSWORD).stop(BOUND_SECONDS)
            step.advance(1)
    return Beside(NAME, starts("usable_s", seconds, failures))


@contextmanager
def _hub(stand: HubStand) -> Iterator[str]:
    """A JupyterHub with batchspawner; its log lies beside the pool's."""
    folder = stand.pool.layout.folder / "batchspawner"
    folder.mkdir(mode=0o700)
    user = stand.plan.names[0]
    public, hub, api = (
        f"http://127.0.0.1:{ports.choose(folder / f'port-{name}')}" for name in ("public", "hub", "proxy")
    )
    configuration = folder / "jupyterhub_config.py"
    command = proxy.ensure(stand.pool.settings, stand.report)
    configuration.write_text(
        _CONFIGURATION.format(
            public=public,
            hub=hub,
            api=api,
            folder=folder,
            command=command,
            password=PASSWORD,
            home=str(stand.pool.layout.homes / user),
            bound=BOUND_SECONDS,
        )
    )
    environment = os.environ | stand.pool.environment(user)
    # JupyterHub starts its proxy in a session of its own: what is left of it ends with the pool.
    environment[COMPANION] = str(stand.pool.layout.folder)
    environment["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), environment["PATH"]])
    log = folder / "hub.log"
    with log.open("w") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "jupyterhub", "-f", configuration],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_up(public, process, log)
        yield f"{public}/"
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # It ends its proxy only where it comes to its own end.
        processes.end_companion(stand.pool.layout, folder / "proxy.pid")


def _wait_until_up(address: str, process: "subprocess.Popen[bytes]", log: Path) -> None:
    deadline = time.monotonic() + UP_SECONDS
    where = urlsplit(address)
    while True:
        connection = HTTPConnection(where.hostname or "", where.port, timeout=5)
        try:
            connection.request("GET", "/hub/health")
            if connection.getresponse().status == 200:
                return
        except (OSError, HTTPException):
            pass
        finally:
            connection.close()
        if process.poll() is not None or time.monotonic() > deadline:
            raise EmbeddedPoolError(f"a hub with batchspawner did not come up: {log.read_text()[-500:]}")
        time.sleep(0.2)
