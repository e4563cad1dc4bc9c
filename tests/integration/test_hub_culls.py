"""The culler of a real hub on a real pool: who is idle is warned and gives back, who computes in silence stays."""

import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest
import requests
from hub_client import wait_until

from mlinfn_condor.demo import notebook
from mlinfn_condor.demo.notebook import Notebook
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.session import exchange, notices
from mlinfn_condor.session.folder import Server, SessionFolder
from mlinfn_condor.session.notices import Notice
from mlinfn_condor.settings import Settings

pytestmark = pytest.mark.slow

# The shortest that the rules allow: nobody is ended without a minute's warning.
CULLING = """
[culling]
device_idle_minutes = 0.1
device_warning_minutes = 1
with_device = "{deed}"
look_seconds = 1
"""
REPORTS = '[sessions.environment]\nMLINFN_ACTIVITY_SECONDS = "1"\n'
WARNED_SECONDS = 30
DONE_SECONDS = 90
SILENT_WORK = "import time; time.sleep(600)"


@pytest.fixture(params=["restart-without-device", "stop"])
def deed(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def hub(pool_home: Path, deed: str) -> Iterator[RunningHub]:
    settings = Settings(home=pool_home, pool=f"culls-{deed[:4]}")
    try:
        file = lifecycle.up(settings, SilentReport()).layout.settings
        lifecycle.down(settings)
        told = file.read_text().replace("[sessions.environment]\n", REPORTS)
        file.write_text(told + CULLING.format(deed=deed))
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


class Guest:
    """A signed-in person with a session."""

    def __init__(self, hub: RunningHub, name: str, model: str) -> None:
        self.visitor = Visitor.sign_in(hub, name)
        events = list(self.visitor.start(kind="gpu", model=model))
        assert events[-1].get("ready"), events
        (found,) = hub.layout.pool.homes.glob(f"{name}/.mlinfn/sessions/*")
        self.folder = SessionFolder(found)
        self.url = f"{hub.url}user/{name}/"
        self.at_first = self.server()

    def server(self) -> Server:
        server = self.folder.server_or_none()
        assert server is not None
        return server

    def notebook(self) -> Notebook:
        """Through the proxy, as a browser has it."""
        return Notebook(replace(self.at_first, url=self.url), self.visitor.token)

    def notice(self) -> Notice | None:
        return notices.read(exchange.read(self.folder.path, notices.FILE))

    def shown(self) -> dict:
        """What the page tells of it."""
        headers = {"Authorization": f"token {self.visitor.token}"}
        return requests.get(f"{self.url}mlinfn/notice", headers=headers, timeout=20).json()["notice"]

    def state(self) -> dict | None:
        """Of the session, as the hub has it."""
        return self.visitor._ask("GET", "").json()["servers"].get("")

    def is_as_at_first(self) -> bool:
        return bool((self.state() or {}).get("ready")) and self.server() == self.at_first

    def is_there_again(self) -> bool:
        server = self.folder.server_or_none()
        return server is not None and server != self.at_first and bool((self.state() or {}).get("ready"))


@pytest.fixture
def guests(hub: RunningHub) -> Iterator[tuple[Guest, Guest]]:
    """One whose tab is open and whose device idles, one who computes in silence with nobody looking."""
    idle, at_work = Guest(hub, "alice", "T4"), Guest(hub, "carol", "A30")
    with ExitStack() as tabs:
        tabs.enter_context(idle.notebook().kernel()).run("1 + 1")
        with at_work.notebook().kernel() as kernel:
            kernel._socket.send(notebook.json.dumps(notebook._execute_request("work", SILENT_WORK)))
        yield idle, at_work


def test_the_idle_are_warned_then_give_back_and_silent_work_is_left_alone(
    guests: tuple[Guest, Guest], deed: str
) -> None:
    idle, at_work = guests
    wait_until(idle.notice, WARNED_SECONDS, "a warning")
    told = idle.notice()
    assert told is not None
    assert (told.deed, told.cause) == (deed, "idle")
    assert told.deadline - told.given == pytest.approx(60, abs=1)
    wait_until(idle.shown, WARNED_SECONDS, "the page shows it")
    assert idle.shown()["can_be_kept"]
    assert idle.is_as_at_first()

    if deed == "stop":
        wait_until(lambda: idle.state() is None, DONE_SECONDS, "the session is stopped")
    else:
        wait_until(idle.is_there_again, DONE_SECONDS, "the session is there again")
        assert not idle.server().devices
    assert time.time() >= told.deadline
    # The hub knows of the end a moment before the culler does.
    wait_until(lambda: idle.notice() is None, DONE_SECONDS, "the warning is taken back")
    assert at_work.notice() is None
    assert at_work.is_as_at_first()
