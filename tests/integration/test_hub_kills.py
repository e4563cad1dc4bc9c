"""kill -9 of hub, proxy, access points and negotiator, and a collector that is away: a session goes on through it."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

import daemons
import pytest
from hub_client import Person, wait_until

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded import processes
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

pytestmark = pytest.mark.slow
BACK_SECONDS = 90
HANG_SECONDS = 40
BESIDE = [f"-m mlinfn_condor.{name} " for name in ("hub.accounts", "hub.culling", "web")]
"""What the hub starts."""
PAGE_SECONDS = 10
"""A page waits 5 s at most for a picture of the pool; left to themselves the bindings would hold it for a minute."""


@pytest.fixture(scope="module")
def hub(pool_home: Path) -> Iterator[RunningHub]:
    settings = Settings(home=pool_home, pool="hubkill")
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def alice(hub: RunningHub) -> Iterator[Person]:
    """Signed in, with a session that answers."""
    person = Person(hub.url, "alice", hub.passwords["alice"])
    events = person.start(model="T4")
    assert events[-1].get("ready"), events
    yield person
    person.stop()


@pytest.fixture
def started(alice: Person) -> str:
    """When the session's server started, as it says itself: it is the same server as long as this is the same."""
    return alice.session("api/status").json()["started"]


def found(hub: RunningHub, words: str) -> list[daemons.Process]:
    pool = hub.layout.pool
    members = [daemons.Process(pid) for pid in processes.members(pool)]
    return [one for one in members if words in one.command]


def beside_it(hub: RunningHub, words: str) -> set[int]:
    """Services of this hub: little of its environment reaches them, so that they are no members of the pool."""
    all_there = (daemons.Process(int(path.name)) for path in Path("/proc").iterdir() if path.name.isdecimal())
    return {one.pid for one in all_there if words in one.command and str(hub.layout.pool.folder) in one.command}


def kill(hub: RunningHub, words: str) -> None:
    (victims := found(hub, words)) or pytest.fail(f"no process of the pool has {words!r} in its command")
    for victim in victims:
        victim.kill()


def assert_goes_on(hub: RunningHub, alice: Person, started: str) -> None:
    def same() -> bool:
        try:
            return alice.session("api/status").json()["started"] == started
        except (OSError, ValueError, KeyError):
            return False

    wait_until(same, BACK_SECONDS, "the same session answers through the proxy")
    wait_until(lambda: lifecycle.answers(hub.settings), BACK_SECONDS, "the hub answers")
    wait_until(lambda: "" in alice.servers(), BACK_SECONDS, "the hub knows the session")


def test_the_hub_is_killed(hub, alice, started):
    beside = {words: beside_it(hub, words) for words in BESIDE}
    assert all(len(pids) == 1 for pids in beside.values()), beside
    kill(hub, "-m mlinfn_condor.hub -f")
    assert alice.session("api/status").json()["started"] == started  # at once: nothing of it goes through the hub
    assert_goes_on(hub, alice, started)

    def anew() -> bool:
        now = {words: beside_it(hub, words) for words in BESIDE}
        return all(len(now[words]) == 1 and now[words].isdisjoint(beside[words]) for words in BESIDE)

    def window() -> int:
        there = {"timeout": 20, "headers": {"Accept": "text/html"}}
        return alice.http.get(f"{hub.url}services/pool/", **there).status_code

    wait_until(anew, BACK_SECONDS, "one of each service of the new hub, and none of the old one")
    wait_until(lambda: window() == 200, BACK_SECONDS, "the new window answers")


def test_the_proxy_is_killed(hub, alice, started):
    kill(hub, "configurable-http-proxy")
    assert_goes_on(hub, alice, started)


def test_the_sessions_access_point_is_killed(hub, alice, started):
    kill(hub, "condor_schedd -f -local-name interactive")
    assert_goes_on(hub, alice, started)
    carol = Person(hub.url, "carol", hub.passwords["carol"])

    def starts() -> bool:
        return bool(carol.start()[-1].get("ready"))

    wait_until(starts, BACK_SECONDS, "a new session starts")
    carol.stop()


def test_the_batch_access_point_is_killed(hub, alice, started):
    (schedd,) = [one for one in found(hub, "condor_schedd") if "interactive" not in one.command]
    schedd.kill()
    assert_goes_on(hub, alice, started)


def test_the_negotiator_is_killed(hub, alice, started):
    kill(hub, "condor_negotiator")
    assert_goes_on(hub, alice, started)


def test_the_collector_hangs_and_comes_back(hub, alice, started):
    (collector,) = found(hub, "condor_collector")
    os.kill(collector.pid, signal.SIGSTOP)
    bob = Person(hub.url, "bob", hub.passwords["bob"])
    waited = []
    try:
        # As long as it takes until the hub has given the collector up, and a while longer.
        while sum(waited) < HANG_SECONDS:
            assert alice.session("api/status").json()["started"] == started
            began = time.monotonic()
            assert bob.ask("GET", "spawn").ok
            waited.append(time.monotonic() - began)
    finally:
        os.kill(collector.pid, signal.SIGCONT)
    assert max(waited) < PAGE_SECONDS
    assert_goes_on(hub, alice, started)


def test_the_collector_is_killed(hub, alice, started):
    kill(hub, "condor_collector")
    assert_goes_on(hub, alice, started)


def test_hub_and_access_point_are_killed_at_once(hub, alice, started):
    kill(hub, "-m mlinfn_condor.hub -f")
    kill(hub, "condor_schedd -f -local-name interactive")
    assert_goes_on(hub, alice, started)
