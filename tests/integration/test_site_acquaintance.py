"""Access point and negotiator of masters of their own: neither waits for the other to say who it is."""

import re
import shutil
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from postgres import wait_until
from site_containers import Container, pool

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.tokens import Issuer, token_file
from mlinfn_condor.hub.tokens import write as write_token

PATIENCE_SECONDS = 15
"""A submit whose schedd and negotiator have to ask each other who they are takes 20 s, or 40."""
MORE = {
    "_CONDOR_NEGOTIATOR_DEBUG": "D_SECURITY",
    "_CONDOR_MLINFN_BELIEVE_LISTED_TOKENS_ONLY": "false",
}
SLOT = """MyType = "Machine"
Name = "slot1@elsewhere"
Machine = "elsewhere"
MyAddress = "<127.0.0.1:9>"
State = "Unclaimed"
Activity = "Idle"
Cpus = 8
Memory = 9999
Disk = 999999
SlotWeight = 8
PartitionableSlot = true
Requirements = false
ClassAdLifetime = 3600
"""
"""One that takes nothing: a job is only looked at when there is any slot."""
JOB = """executable = /bin/true
request_cpus = 1
request_memory = 1
+PriorityClass = "batch"
queue
"""


@dataclass(frozen=True)
class Person:
    """Who submits."""

    client: Container
    folder: Path

    def looked_at_after(self) -> float:
        """Seconds from a submit until the negotiator has looked at the job, which then goes."""
        began = time.monotonic()
        told = self.client.run("condor_submit", "-name", "batch@", str(self.folder / "job"))
        job = re.search(r"cluster (\d+)", told)[1]

        def looked_at() -> bool:
            said = self.client.run("condor_q", "-name", "batch@", job, "-af", "LastRejMatchTime")
            return said.strip().isdecimal()

        wait_until(looked_at, 90, "the negotiator looks at it")
        took = time.monotonic() - began
        self.client.run("condor_rm", "-name", "batch@", job)
        return took


@pytest.fixture
def site(installed: Distribution) -> Iterator[dict[str, Container]]:
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    (folder / "shared").mkdir()
    (folder / "shared" / "projects.map").write_text("* alice alpha\n")
    with pool(folder, installed, **MORE) as containers:
        yield containers
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def alice(site: dict[str, Container], tmp_path: Path) -> Person:
    for name, text in {"job": JOB, "slot": SLOT}.items():
        (tmp_path / name).write_text(text)
    now, keys = int(time.time()), site["client"].folder.parent / "secrets" / "mlinfn-session-key"
    write_token(tmp_path, Issuer(keys / "sessions", "ml.example.org").token("alice", now + 600, now - 60))
    site["central-manager"].run("condor_advertise", "UPDATE_STARTD_AD", str(tmp_path / "slot"))
    return Person(site["client"].holding(token_file(tmp_path, "alice").parent), tmp_path)


def test_a_first_submit_is_looked_at_at_once_and_the_schedd_asks_for_nothing(site, alice):
    assert max(alice.looked_at_after() for _ in range(3)) < PATIENCE_SECONDS
    log = (site["central-manager"].folder / "log" / "NegotiatorLog").read_text()
    assert "Finished Negotiation Cycle" in log
    assert "added incoming session" not in log, "nobody made himself known to the negotiator"
