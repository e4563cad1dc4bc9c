"""The rehearsed upgrade: all but the nodes is started anew in the documented order, and what runs goes on."""

import contextlib
import json
import os
import signal
import site
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from homes import a_home
from hub_client import Person, wait_until
from platforms import Folder

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded import processes
from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.hub.local import lifecycle as hubs
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import migrating

pytestmark = pytest.mark.slow
PREVIOUS = os.environ.get("MLINFN_PREVIOUS_VERSION")
"""Folder of the version before (scripts/previous-version); read now, for tests are blind to it."""
BACK_SECONDS = 90
TICKS = """
import sys, time
for tick in range(10_000):
    print(tick, flush=True)
    time.sleep(0.2)
"""
"""Tells without a gap that it was not started again: it counts from 0."""


@dataclass
class Platform(Folder):
    """Pool, hub, database and services in one folder."""

    services: "subprocess.Popen[bytes] | None" = None

    def start_services(self) -> None:
        words = [self.python, "-m", "mlinfn_condor.cli", "services", "run", "--only", "recorder"]
        with (self.settings.home / "services.log").open("ab") as log:
            self.services = subprocess.Popen(
                words, env=self.environment, cwd=self.settings.home, stdout=log, stderr=log
            )

    def stop_services(self) -> None:
        if self.services is not None:
            self.services.terminate()
            assert self.services.wait(60) == 0

    def daemons(self, program: str) -> dict[int, str]:
        """Processes of the pool that run this program, and their commands."""
        found = {}
        for pid in processes.members(self.layout):
            with contextlib.suppress(OSError):  # it has ended
                found[pid] = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode()
        return {pid: command for pid, command in found.items() if command.split(" ")[0].endswith(program)}

    def nodes(self) -> list[int]:
        """What runs on nodes: a job whose starter is the same was not started again."""
        return sorted(pid for program in ("condor_startd", "condor_starter") for pid in self.daemons(program))

    def start_anew(self, program: str, which: Callable[[str], bool] = lambda _: True) -> None:
        """As the end of its pod does it: SIGTERM; another process takes its place."""
        (before,) = [pid for pid, command in self.daemons(program).items() if which(command)]
        os.kill(before, signal.SIGTERM)
        wait_until(
            lambda: before not in (now := self.daemons(program)) and any(which(one) for one in now.values()),
            BACK_SECONDS, f"another {program}",
        )  # fmt: skip


@pytest.fixture
def platform(installed: Distribution) -> Iterator[Platform]:
    with a_home() as home:
        platform = Platform(Settings(home=home, pool="newer"))
        try:
            yield platform
        finally:
            platform.stop_services()
            pools.down(platform.settings, graceful_seconds=0)
            platform.database.down()


def next_version(folder: Path) -> Path:
    """Migrations as the version after this one may have them: what is there stays, something is added."""
    for file in migrating.shipped_migrations().iterdir():
        if file.name.endswith(".sql"):
            (folder / file.name).write_text(file.read_text())
    number = len(list(folder.iterdir())) + 1
    (folder / f"{number:04}-add-a-remark.sql").write_text("ALTER TABLE mlinfn.attempt ADD COLUMN remark text;\n")
    return folder


def installed_aside(code: Path, folder: Path) -> Path:
    """The Python of an environment with this version of ours, and everything else as it is here."""
    venv.create(folder)
    (packages,) = folder.glob("lib/python*/site-packages")
    (packages / "previous.pth").write_text(f"{code}\n{site.getsitepackages()[0]}\n")
    for program in ("node", "npm"):  # the hub's proxy runs in it
        (folder / "bin" / program).symlink_to(Path(sys.executable).parent / program)
    return folder / "bin" / "python"


def is_inner(command: str) -> bool:
    return "interactive" in command


def ticks(folder: Path) -> list[int]:
    return [int(line) for file in folder.glob("*.out") for line in file.read_text().split()]


def test_sessions_and_jobs_survive_an_upgrade_of_all_but_their_nodes(platform: Platform, tmp_path: Path) -> None:
    def migrate() -> None:
        """Under code that does not know of it: what the recorder writes fits both."""
        assert migrating.migrate(platform.database.dsn, next_version(tmp_path))
        assert "is newer than this program" in platform.mlinfn("db", "migrate", code=1)
        assert "left as it is: the database is newer" in platform.mlinfn("db", "migrate", "--or-newer")

    an_upgrade(platform, migrate)


@pytest.mark.skipif(not PREVIOUS, reason="there is no version before this one")
def test_they_survive_the_upgrade_from_the_version_before(platform: Platform, tmp_path: Path) -> None:
    platform.python = installed_aside(Path(PREVIOUS), tmp_path / "previous")

    def migrate() -> None:
        platform.python = Path(sys.executable)
        platform.mlinfn("db", "migrate")

    an_upgrade(platform, migrate)


def an_upgrade(platform: Platform, migrate: Callable[[], None]) -> None:
    """In the order of docs/upgrading.md."""
    platform.mlinfn("db", "up")
    platform.mlinfn("hub", "up")
    hub = hubs.running(platform.settings)
    platform.start_services()
    home = platform.layout.homes / "bob"
    (home / "ticks.py").write_text(TICKS)
    words = ["submit_templates/training.sub", f"folder={home}", "gpus=1", f"command=python {home}/ticks.py"]
    platform.condor("condor_submit", "-name", "batch@", *words, user="bob")
    alice = Person(hub.url, "alice", hub.passwords["alice"])
    assert alice.start(model="T4")[-1].get("ready")
    started = alice.session("api/status").json()["started"]
    wait_until(lambda: ticks(home), BACK_SECONDS, "bob's training runs")
    nodes = platform.nodes()

    def same_session() -> bool:
        try:
            return alice.session("api/status").json()["started"] == started
        except (OSError, ValueError, KeyError):
            return False

    def goes_on(step: str) -> None:
        seen = len(ticks(home))
        wait_until(same_session, BACK_SECONDS, f"{step}: the same session answers")
        wait_until(lambda: hubs.answers(hub.settings), BACK_SECONDS, f"{step}: the hub answers")
        wait_until(lambda: len(ticks(home)) > seen, BACK_SECONDS, f"{step}: the training goes on")
        assert ticks(home) == list(range(len(ticks(home)))), f"{step}: the training was started again"
        assert platform.nodes() == nodes, step

    migrate()
    goes_on("the database is migrated")
    platform.stop_services()
    platform.start_services()
    goes_on("services are new")
    platform.mlinfn("hub", "down")
    platform.mlinfn("hub", "up")
    goes_on("hub and proxy are new")
    platform.start_anew("condor_schedd", is_inner)
    goes_on("interactive@ is new")
    platform.start_anew("condor_schedd", lambda command: not is_inner(command))
    goes_on("batch@ is new")
    platform.start_anew("condor_negotiator")
    platform.start_anew("condor_collector")
    goes_on("the central manager is new")
    carol = Person(hub.url, "carol", hub.passwords["carol"])
    wait_until(lambda: carol.start()[-1].get("ready"), BACK_SECONDS, "a new session starts")
    wait_until(lambda: "running" in platform.mlinfn("services", "status"), BACK_SECONDS, "the recorder runs")
    platform.condor("condor_rm", "-name", "batch@", "-all")
    queue = ["condor_q", "-name", "batch@", "-all", "-af", "ClusterId"]
    wait_until(lambda: not platform.condor(*queue).strip(), BACK_SECONDS, "the training has ended")
    platform.mlinfn("accounting", "record", "--once")
    told = json.loads(platform.mlinfn("report", "usage", "--since", "yesterday", "--by", "user", "--format", "json"))
    assert "bob" in json.dumps(told), "what began under one access point and ended under the next is recorded"
