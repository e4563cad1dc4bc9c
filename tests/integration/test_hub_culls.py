"""The culler of a real hub on a real pool: who is idle is warned and gives back, who computes in silence stays."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hub_client import wait_until

from mlinfn_condor.demo.notebook import Notebook
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.session import exchange, notices
from mlinfn_condor.session.folder import SessionFolder
from mlinfn_condor.settings import Settings

pytestmark = pytest.mark.slow

# The shortest that the rules allow: nobody is ended without a minute's warning.
CULLING = """
[culling]
device_idle_minutes = 0.1
device_warning_minutes = 1
with_device = "restart-without-device"
idle_minutes = 0.1
warning_minutes = 1
look_seconds = 1
"""
WARNED_SECONDS = 120
DONE_SECONDS = 150
SILENT_WORK = "import time\nend = time.monotonic() + 600\nwhile time.monotonic() < end: pass"


@pytest.fixture(scope="module")
def hub(pool_home: Path) -> Iterator[RunningHub]:
    settings = Settings(home=pool_home, pool="culls")
    try:
        first = lifecycle.up(settings, SilentReport())
        lifecycle.down(settings)
        with first.layout.settings.open("a") as file:
            file.write(CULLING)
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


class Guest:
    """A signed-in person with a session."""

    def __init__(self, hub: RunningHub, name: str, **options: object) -> None:
        self.visitor = Visitor.sign_in(hub, name)
        events = list(self.visitor.start(**options))
        assert events[-1].get("ready"), events
        (found,) = hub.layout.pool.homes.glob(f"{name}/.mlinfn/sessions/*")
        self.folder = SessionFolder(found)
        self.url = f"{hub.url}user/{name}/"
        self.started = self.server().started

    def server(self):
        server = self.folder.server_or_none()
        assert server is not None
        return server

    def notice(self) -> notices.Notice | None:
        return notices.read(exchange.read(self.folder.path, notices.FILE))

    def kernel(self):
        return Notebook(replace(self.server(), url=self.url), self.visitor.token).kernel()

    def servers(self) -> dict[str, dict]:
        return self.visitor._ask("GET", "").json()["servers"]


def test_the_idle_are_warned_and_give_back_and_silent_work_is_left_alone(hub: RunningHub) -> None:
    with_device, without = Guest(hub, "alice", kind="gpu", model="T4"), Guest(hub, "bob")
    at_work = Guest(hub, "carol", kind="gpu", model="A30")
    with at_work.kernel() as kernel:
        kernel._socket.send(json.dumps(_request(SILENT_WORK)))
        for guest, deed in ((with_device, "restart-without-device"), (without, "stop")):
            wait_until(guest.notice, WARNED_SECONDS, f"a warning: {deed}")
            notice = guest.notice()
            assert notice is not None
            assert notice.deed == deed
            assert notice.deadline - notice.given == pytest.approx(60, abs=1)
        wait_until(lambda: not without.servers(), DONE_SECONDS, "bob's session is stopped")

        def again() -> bool:
            server = with_device.folder.server_or_none()
            return server is not None and server.started != with_device.started and not server.devices

        wait_until(again, DONE_SECONDS, "alice's session is there again, without its device")
        wait_until(lambda: with_device.servers().get("", {}).get("ready"), DONE_SECONDS, "the hub has it ready")
        assert at_work.notice() is None
        assert at_work.server().started == at_work.started
        assert at_work.servers()[""]["ready"]


def _request(code: str) -> dict[str, object]:
    from mlinfn_condor.demo.notebook import _execute_request

    return _execute_request("work", code)
