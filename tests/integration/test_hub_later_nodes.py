"""Sessions on nodes that joined after their start was asked for: the certificate from before cannot name those."""

import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from driver import Driver
from glideins import Provisioners, closing, glidein, simulated
from hub_client import Person, wait_until

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.glidein import processes
from mlinfn_condor.hub import certificates
from mlinfn_condor.hub.local import first_settings, lifecycle
from mlinfn_condor.hub.local.layout import HubLayout
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.session.folder import SessionFolder, folder_in
from mlinfn_condor.settings import Settings

LATER, LATER_STILL = "127.0.0.2", "127.0.0.3"
LEASE_SECONDS = 20
SECONDS = 90


KINDS = """
[kinds.a30]
device_kind = "gpu"
model = "A30"
devices = 2
cpus = 4
memory_mb = 8192
most = 1

[intervals]
loop_seconds = 1
idle_seconds = 10
report_seconds = 10
"""


@pytest.fixture(scope="module")
def hub(pool_home: Path) -> Iterator[RunningHub]:
    """On a pool whose only device carol has already."""
    settings = Settings(home=pool_home, pool="later")
    overrides = f"MLINFN_JOB_LEASE_SECONDS = {LEASE_SECONDS}\n"
    try:
        pool = pools.up(settings, blueprint=Blueprint(nodes=(simulated("first", gpus=1),), overrides=overrides))
        layout = HubLayout(pool.layout)
        told = first_settings.text(layout, pool).replace('ip = "127.0.0.1"', 'ip = "0.0.0.0"')
        layout.settings.write_text(told)
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def carol(hub: RunningHub) -> Person:
    person = Person(hub.url, "carol", hub.passwords["carol"])
    assert person.start(model="T4")[-1].get("ready")
    return person


@pytest.fixture
def nodes(hub: RunningHub, tmp_path: Path) -> Driver:
    return Driver(pools.running(Settings(home=hub.layout.pool.folder.parent.parent, pool="later")), tmp_path)


class Waiting:
    """A start that waits in the queue, and the folder of its session."""

    def __init__(self, hub: RunningHub, name: str, model: str = "T4") -> None:
        self.person = Person(hub.url, name, hub.passwords[name])
        self.folder = SessionFolder(folder_in(hub.layout.pool.homes / name, "hub-default"))
        self.events: list[dict] = []
        self._thread = threading.Thread(target=self._follow, args=(model,), daemon=True)
        self._thread.start()
        wait_until(self.queued, SECONDS, "the session is in the queue")

    def _follow(self, model: str) -> None:
        self.person.begin(model=model, cpus=1, memory_mb=1024)
        self.events.extend(self.person.progress())

    def was_told(self, beginning: str) -> bool:
        return any(event.get("message", "").startswith(beginning) for event in list(self.events))

    def queued(self) -> bool:
        return (self.folder.path / "tls.crt").exists() and bool(self.person.servers())

    def covers(self, host: str) -> bool:
        return certificates.covers(self.folder.path, host)

    def answered(self) -> list[dict]:
        self._thread.join(SECONDS)
        assert self.events, "the start has an end"
        return self.events


@contextmanager
def held_back(provisioners: Provisioners) -> Iterator[None]:
    """The first node that is added stands still as soon as it begins: it would come sooner than a busy hub looks."""
    held: list[int] = []
    over = threading.Event()

    def hold() -> None:
        while not held and not over.wait(0.02):
            for pid in filter(None, map(processes.entrypoint, provisioners.works())):
                os.kill(pid, signal.SIGSTOP)
                held.append(pid)

    holder = threading.Thread(target=hold)
    holder.start()
    try:
        yield
    finally:
        over.set()
        holder.join()
        for pid in held:
            os.kill(pid, signal.SIGCONT)


def test_it_answers_on_a_node_that_came_while_it_waited(hub, carol, nodes):
    waiting = Waiting(hub, "alice")
    assert not waiting.covers(LATER)
    key = (waiting.folder.path / "tls.key").read_text()
    with glidein(nodes, "later-1", address=LATER) as later:
        later.joined()
        assert waiting.answered()[-1].get("ready"), waiting.events
        server = waiting.folder.server()
        assert urlsplit(server.url).hostname == LATER
        assert waiting.covers(LATER)
        assert (waiting.folder.path / "tls.key").read_text() == key
        assert (waiting.folder.path / "tls.crt").stat().st_mode & 0o077 == 0
        assert waiting.person.session("api/status").status_code == 200
        waiting.person.stop()


def test_page_and_progress_tell_of_a_node_that_is_added(hub, carol, nodes):
    alice = Person(hub.url, "alice", hub.passwords["alice"])
    assert alice.start(model="A30")[-1].get("failed"), "nobody adds nodes, and the pool has no A30"
    with closing(Provisioners(nodes, KINDS)) as provisioners:
        provisioners.start()
        wait_until(hub.layout.pool.prospects.exists, SECONDS, "the provisioner tells of nodes to come")

        def offered() -> dict:
            return alice.ask("GET", "pool/offers", params={"device": "gpu:A30", "count": "1"}).json()

        wait_until(lambda: "A30 (simulated)" in str(offered()), SECONDS, "the page has it")
        told = offered()
        assert "Waits for a node: none with A30" in str(told), told
        with held_back(provisioners):
            waiting = Waiting(hub, "alice", model="A30")
            wait_until(lambda: waiting.was_told("Waiting: for a node that is being added"), SECONDS, "the hub tells so")
        assert waiting.answered()[-1].get("ready"), waiting.events
        alice.stop()
    assert not hub.layout.pool.prospects.exists()


@pytest.mark.slow
def test_it_follows_to_another_node_that_came_later_still(hub, carol, nodes):
    waiting = Waiting(hub, "alice")
    with glidein(nodes, "later-2", address=LATER) as first:
        assert waiting.answered()[-1].get("ready"), waiting.events
        with glidein(nodes, "later-3", address=LATER_STILL) as second:
            second.joined()
            first.process.kill()  # and with it its machine: its startd is ended by the kernel

            def there() -> bool:
                server = waiting.folder.server_or_none()
                return server is not None and urlsplit(server.url).hostname == LATER_STILL

            wait_until(there, SECONDS, "it was started again on the other node")
            wait_until(lambda: answers(waiting), SECONDS, "the hub has followed it")
            assert waiting.covers(LATER_STILL)
            waiting.person.stop()


@pytest.mark.slow
def test_a_hub_that_was_down_when_it_moved_makes_it_answer(hub, carol, nodes):
    settings = Settings(home=hub.layout.pool.folder.parent.parent, pool="later")
    waiting = Waiting(hub, "alice")
    with glidein(nodes, "later-4", address=LATER) as first:
        assert waiting.answered()[-1].get("ready"), waiting.events
        lifecycle.down(settings)
        with glidein(nodes, "later-5", address=LATER_STILL) as second:
            second.joined()
            first.process.kill()
            wait_until(
                lambda: (found := waiting.folder.server_or_none()) and urlsplit(found.url).hostname == LATER_STILL,
                SECONDS,
                "it was started again on the other node",
            )
            assert not waiting.covers(LATER_STILL)
            lifecycle.up(settings, SilentReport())
            wait_until(lambda: answers(waiting), SECONDS, "it answers through the new hub's proxy")
            waiting.person.stop()


def answers(waiting: Waiting) -> bool:
    try:
        return waiting.person.session("api/status").status_code == 200
    except OSError:
        return False
