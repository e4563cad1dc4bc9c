"""A real JupyterHub with the pages in it, on a port of loopback; its view of the pool is the test's."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import requests
from jupyterhub.app import JupyterHub
from jupyterhub.spawner import SimpleLocalProcessSpawner
from small_pool import (
    BACKFILL,
    BARE,
    FIRST,
    HOUR_AGO,
    NOW,
    PRIMARY,
    SECOND,
    asks_a100,
    claimed,
    device_ads,
    job,
    partitionable,
    snapshot,
)
from tornado.httpserver import HTTPServer
from tornado.netutil import bind_sockets
from traitlets.config import Config

from mlinfn_condor.hub.page import form
from mlinfn_condor.hub.page.handlers import HANDLERS
from mlinfn_condor.hub.page.inventory import Inventory, remember
from mlinfn_condor.hub.page.limits import Limits
from mlinfn_condor.pool import ads

SIZE = {"Cpus": 16, "Memory": 50_000}
SESSION = job("3.0", "interactive", 2, "alice", **asks_a100(), JobCurrentStartDate=HOUR_AGO, MlinfnSession="notes")
OTHER = job("4.0", "interactive", 2, "bob", RequestCpus=4, JobCurrentStartDate=HOUR_AGO, Project="beta")
WAITING = job("5.0", "interactive", 1, "carol", **asks_a100(2), MlinfnSession="")
WITHOUT = partitionable("slot2@server2@host", "session", Cpus=6, TotalSlotCpus=8, Memory=9_000, TotalSlotMemory=16_000)
T4 = device_ads("server1", "T4", 8)
HOLDING = (
    PRIMARY,
    BACKFILL,
    BARE,
    WITHOUT,
    partitionable("slot1@server1@host", "session", T4, MlinfnDeviceCpus=4, MlinfnDeviceMemoryMb=12_000),
    claimed("slot1_1@server2@host", "interactive@3.0", "interactive", FIRST, RemoteOwner="alice@demo", **SIZE),
    claimed("slot5_1@server2@host", "batch@1.0", "batch", SECOND),
    claimed("slot2_1@server2@host", "interactive@4.0", "interactive", Cpus=2),
)


class FakePlatform:
    """Sessions with MlinfnSession are this hub's."""

    def __init__(self, look=None, limits=Limits(), projects=("alpha", "beta")):
        self.look = snapshot([SESSION, OTHER, WAITING], HOLDING) if look is None else look
        u50 = partitionable("slot1@gone@host", "session", device_ads("gone", "U50", 1, kind="FPGAs"))
        self.inventory = remember(Inventory(), snapshot([], (u50,)))
        self.limits, self.projects, self.owners_displace_sessions = limits, projects, True

    async def snapshot(self):
        return self.look

    def projects_of(self, user):
        return self.projects

    def owner_of(self, job):
        return (job.user, ads.text(job.ad, "MlinfnSession")) if "MlinfnSession" in job.ad else None


class PageSpawner(SimpleLocalProcessSpawner):
    """Shows the form; nothing is ever started with it."""

    platform = None

    async def options_form(self, _=None):
        return await form.render(self.platform, self.user.name, self.name, self.hub.base_url)


@contextmanager
def hub(folder: Path, platform: FakePlatform) -> Iterator[str]:
    """Run the hub's web application, without a proxy before it; gives its base address."""
    ready, over, address = threading.Event(), threading.Event(), []
    thread = threading.Thread(target=lambda: asyncio.run(_serve(folder, platform, ready, over, address)))
    thread.start()
    assert ready.wait(60)
    try:
        yield address[0]
    finally:
        over.set()
        thread.join(60)


async def _serve(folder, platform, ready, over, address):
    PageSpawner.platform = platform
    config = Config()
    config.JupyterHub.db_url = f"sqlite:///{folder}/hub.sqlite"
    config.JupyterHub.cookie_secret_file = str(folder / "cookie_secret")
    config.JupyterHub.authenticator_class = "dummy"
    config.JupyterHub.spawner_class = PageSpawner
    config.JupyterHub.template_paths = [str(form.TEMPLATES)]
    config.JupyterHub.extra_handlers = HANDLERS
    config.JupyterHub.allow_named_servers = True
    config.ConfigurableHTTPProxy.auth_token = "never started"
    config.Authenticator.allow_all = True
    config.Authenticator.admin_users = {"admin"}
    app = JupyterHub(config=config)
    app.load_config_file = lambda *_, **__: None
    app.init_signal = app.init_pycurl = lambda: None
    app.log_level = 40
    await app.initialize([])
    # Not by configuration, which would copy it.
    app.tornado_application.settings["mlinfn"] = platform
    (socket,) = bind_sockets(0, "127.0.0.1")
    HTTPServer(app.tornado_application, xheaders=False).add_sockets([socket])
    address.append(f"http://127.0.0.1:{socket.getsockname()[1]}/hub/")
    ready.set()
    await asyncio.get_running_loop().run_in_executor(None, over.wait)
    JupyterHub.clear_instance()


def signed_in(address: str, name: str) -> requests.Session:
    """A browser of this user, so to say."""
    browser = requests.Session()
    browser.get(f"{address}login")
    form = {"username": name, "password": "any", "_xsrf": browser.cookies.get("_xsrf")}
    answer = browser.post(f"{address}login", data=form, allow_redirects=False)
    assert answer.status_code == 302, answer.text
    return browser


__all__ = ["NOW", "FakePlatform", "hub", "signed_in"]
