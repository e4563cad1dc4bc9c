"""The rehearsed disaster: a platform is backed up at work, killed, deleted, restored, and goes on where it was."""

import json
import os
import shutil
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
from homes import a_home
from hub_client import Person, wait_until
from platforms import Folder
from s3 import S3

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded import processes
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.hub.local import lifecycle as hubs
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.settings import Settings

NOTEBOOK = {
    "type": "notebook",
    "content": {"cells": [], "metadata": {"kept": "yes"}, "nbformat": 4, "nbformat_minor": 5},
}
NAME = "work.ipynb"
SLEEPS = "import time; time.sleep(4)"
CORES = 2
"""Of a session that asks for nothing."""


@dataclass
class Platform(Folder):
    """Everything in one folder: pool, hub, database, recorder."""

    hub: RunningHub | None = None
    since: datetime = field(default_factory=lambda: datetime.now(UTC))

    def up(self) -> None:
        self.mlinfn("db", "up")
        self.hub = hubs.up(self.settings, SilentReport())

    def alice(self) -> Person:
        assert self.hub is not None
        return Person(self.hub.url, "alice", self.hub.passwords["alice"])

    def used(self) -> dict[str, float]:
        """Weighted seconds of each user and group, as condor_userprio has them."""
        found = {}
        for ad in self.condor("condor_userprio", "-allusers", "-long").split("\n\n"):
            told = dict(line.partition(" = ")[::2] for line in ad.splitlines() if " = " in line)
            if "Name" in told:
                found[told["Name"].strip('"')] = float(told.get("WeightedAccumulatedUsage", "0"))
        return found

    def reports(self, until: datetime) -> list[object]:
        period = ["--since", f"{self.since:%Y-%m-%d %H:%M:%S}", "--until", f"{until:%Y-%m-%d %H:%M:%S}"]
        return json.loads(self.mlinfn("report", "all", *period, "--format", "json"))

    def perish(self) -> None:
        """Everything is killed, and the disk is gone."""
        processes.stop(self.layout, graceful_seconds=0)
        if (server := self.database.running()) is not None:
            os.kill(server, signal.SIGQUIT)
            wait_until(lambda: self.database.running() is None, 20, "the database is gone")
        for path in [self.settings.pool_folder, self.database.layout.folder, self.settings.home / "backup"]:
            shutil.rmtree(path)


@pytest.fixture
def platform(installed: Distribution, s3: S3, restic_program: Path, tmp_path: Path) -> Iterator[Platform]:
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("rehearsal")
    storage = tmp_path / "storage.toml"
    storage.write_text(
        f'[backup]\nrepository = "{s3.repository("lost")}"\npassword_file = "{password}"\n'
        f'credentials_file = "{s3.credentials}"\n'
    )
    with a_home() as home:
        platform = Platform(Settings(home=home, pool="lost"), {"MLINFN_STORAGE": str(storage)})
        try:
            yield platform
        finally:
            pools.down(platform.settings, graceful_seconds=0)
            platform.database.down()


def is_there(alice: Person) -> bool:
    return alice.session(f"api/contents/{NAME}").ok


def test_a_platform_that_was_lost_goes_on_where_it_was(platform: Platform) -> None:
    platform.up()
    program = platform.layout.homes / "bob" / "sleeps.py"
    program.write_text(SLEEPS)
    words = ["submit_templates/training.sub", f"folder={program.parent}", "gpus=1", f"command=python {program}"]
    platform.condor("condor_submit", "-name", "batch@", *words, user="bob")
    alice = platform.alice()
    assert alice.start()[-1].get("ready")
    alice.session("api/contents")  # signs in there too
    mark = next(cookie.value for cookie in alice.http.cookies if cookie.name == "_xsrf" and "user" in cookie.path)
    where = f"{alice.url}user/alice/api/contents/{NAME}"
    kept = alice.http.put(where, json=NOTEBOOK, headers={"X-XSRFToken": mark}, timeout=30)
    assert kept.status_code == 201, kept.text
    queue = ["condor_q", "-name", "batch@", "-all", "-af", "ClusterId"]
    wait_until(lambda: not platform.condor(*queue).strip(), 60, "bob's training is done")
    wait_until(lambda: platform.used().get("group_batch.beta.bob@lost"), 30, "bob is charged")
    until = datetime.now(UTC).replace(microsecond=0)
    platform.mlinfn("accounting", "record", "--once")  # knows all of the time until then
    before, used, at_work = platform.reports(until), platform.used(), time.monotonic()
    platform.mlinfn("backup", "run")
    at_work = time.monotonic() - at_work

    platform.perish()
    platform.mlinfn("backup", "restore", "--whole")
    assert platform.reports(until) == before
    begun = time.monotonic()
    platform.up()
    wait_until(lambda: used.keys() <= platform.used().keys(), 30, "the negotiator answers")
    charged = {name: hours - used.get(name, 0) for name, hours in platform.used().items()}
    at_work += time.monotonic() - begun
    # Her session runs again, and nobody else has used anything; while all was lost nobody did.
    hers = {name for name in charged if name.startswith("group_interactive.alpha")}
    assert all(value == 0 for name, value in charged.items() if name not in hers), charged
    assert all(0 <= charged[name] <= CORES * at_work + CORES for name in hers), (charged, at_work)
    alice = platform.alice()
    wait_until(lambda: is_there(alice), 60, "the session that ran opens with its file")
    assert alice.session(f"api/contents/{NAME}").json()["content"]["metadata"]["kept"] == "yes"
    platform.mlinfn("accounting", "record", "--once")
    assert platform.reports(until) == before
