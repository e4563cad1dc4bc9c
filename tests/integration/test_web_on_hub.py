"""The window behind a real hub and its proxy, over a real pool: signed in by the hub, acting in one's own name."""

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from operator import methodcaller
from pathlib import Path

import pytest
import requests
from homes import a_home
from hub_client import Person, wait_until

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.errors import JobRefused
from mlinfn_condor.hub.local import lifecycle
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.hub.tokens import Issuer
from mlinfn_condor.pool import JobId
from mlinfn_condor.settings import Settings
from mlinfn_condor.web.hands import SignedHands

SECONDS = 60
START_SECONDS = 25
"""Less than a service is given to answer."""


@pytest.fixture(scope="module")
def home(installed: Distribution) -> Iterator[Path]:
    """Not that of other tests: a database that they left up would be shown."""
    with a_home() as home:
        yield home


@pytest.fixture(scope="module")
def hub(home: Path) -> Iterator[RunningHub]:
    settings = Settings(home=home, pool="window")
    try:
        yield lifecycle.up(settings, SilentReport())
    finally:
        pools.down(settings, graceful_seconds=0)


@pytest.fixture(scope="module")
def people(hub: RunningHub) -> dict[str, Person]:
    return {name: Person(hub.url, name, hub.passwords[name]) for name in ("alice", "bob")}


@pytest.fixture(scope="module")
def job(hub: RunningHub, home: Path) -> str:
    """A batch job of alice's that runs."""
    folder = hub.layout.pool.homes / "alice"
    text = (
        f"executable = /bin/sh\narguments = \"-c 'echo epoch 1 of 9; exec sleep 600'\"\ninitialdir = {folder}\n"
        'output = out\nlog = log\n+PriorityClass = "batch"\nrequest_cpus = 1\nrequest_memory = 64\nqueue\n'
    )
    (folder / "job.sub").write_text(text)
    environment = os.environ | pools.environment(Settings(home=home, pool="window"), "alice")
    told = subprocess.run(
        ["condor_submit", "-name", "batch@", str(folder / "job.sub")],
        env=environment, capture_output=True, text=True, check=True, timeout=SECONDS,
    )  # fmt: skip
    cluster = re.search(r"cluster (\d+)", told.stdout)[1]
    return f"batch@{cluster}.0"


def open_page(person: Person, path: str = "", **options):
    return person.http.get(
        f"{person.url}services/pool/{path}", timeout=SECONDS, headers={"Accept": "text/html"}, **options
    )


def shown(person: Person, path: str, text: str) -> str:
    told = ""

    def there() -> bool:
        nonlocal told
        told = open_page(person, path).text
        return text in told

    wait_until(there, SECONDS, f"{path or 'the page'} shows {text}")
    return told


def test_the_hub_signs_in(people: dict[str, Person]) -> None:
    told = shown(people["alice"], "", "A100")
    assert '<p class="who">alice' in told
    assert "simulated" in told


def test_the_hub_finds_it_and_has_started(hub: RunningHub) -> None:
    """JupyterHub says so after its services answered it, and it ends when one has not for half a minute."""
    log = hub.layout.log("hub")
    wait_until(lambda: "JupyterHub is now running" in log.read_text(), START_SECONDS, "the hub has started")
    assert "Failed to connect" not in log.read_text()


def test_its_port_takes_nobody_but_the_proxy(hub: RunningHub) -> None:
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(hub.settings.addresses.web_url, timeout=10, verify=False)


def test_somebody_who_is_not_signed_in_is_sent_to_the_hub(hub: RunningHub) -> None:
    answer = requests.get(f"{hub.url}services/pool/", timeout=SECONDS, headers={"Accept": "text/html"})
    assert "/hub/login" in answer.url


def test_only_administrators_administrate(people: dict[str, Person]) -> None:
    assert open_page(people["bob"], "administration").status_code == 403


def test_the_access_point_itself_refuses_anothers_job(hub: RunningHub, job: str, monkeypatch) -> None:
    settings = Settings(home=hub.layout.pool.folder.parents[1], pool="window")
    for name, value in pools.environment(settings, "bob").items():
        monkeypatch.setenv(name, value)
    hands = SignedHands(Issuer(hub.settings.tokens.key_file, hub.settings.tokens.trust_domain), 30)
    with pytest.raises(JobRefused):
        asyncio.run(hands.act("bob", methodcaller("remove", JobId.parse(job), "a test")))


def test_its_owner_sees_and_stops_a_job_and_nobody_else(people: dict[str, Person], job: str) -> None:
    alice, bob = people["alice"], people["bob"]
    page = shown(alice, "mine", job)
    assert job not in open_page(bob, "mine").text
    assert "epoch 1 of 9" in shown(alice, f"jobs/{job}/log", "epoch 1 of 9")
    assert open_page(bob, f"jobs/{job}/log").status_code == 404
    own = re.search(r'name="csrf" value="(\w+)"', page)[1]
    address = f"{alice.url}services/pool/jobs/{job}/stop"
    assert bob.http.post(address, data={"csrf": own}, timeout=SECONDS).status_code == 403
    assert alice.http.post(address, data={"csrf": own}, timeout=SECONDS).status_code == 200
    wait_until(lambda: job not in open_page(alice, "mine").text, SECONDS, "the job is gone")


def test_alone_it_shows_the_same_to_who_runs_it(hub: RunningHub, home: Path) -> None:
    given = {"MLINFN_HOME": str(home), "MLINFN_POOL": "window", "MLINFN_USER": "bob"}
    environment = {name: value for name, value in os.environ.items() if name != "CONDOR_CONFIG"} | given
    command = [sys.executable, "-m", "mlinfn_condor.cli", "web", "serve", "--port", "0"]
    served = subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True)
    try:
        address = served.stdout.readline().rpartition(" ")[2].strip()
        visitor = requests.Session()
        page = visitor.get(address, timeout=SECONDS, headers={"Accept": "text/html"}).text
        assert "A100" in page
        assert '<p class="who">bob' in page
        bare = address.partition("?")[0]
        assert requests.get(bare, timeout=SECONDS, headers={"Accept": "text/html"}).status_code == 403
        administration = visitor.get(f"{bare}administration", timeout=SECONDS).text
        assert "no database" in administration
    finally:
        served.terminate()
        assert served.wait(20) is not None
