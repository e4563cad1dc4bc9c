"""Real glideins as processes of this machine, for tests: the shipped entrypoint, and a pool without other nodes.

Their devices are simulated, as the embedded pool's are, and say so.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from driver import Driver, wait_until

from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.glidein import processes
from mlinfn_condor.glidein.outcome import Exit
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.node.processes import name as name_of
from mlinfn_condor.shipped import shipped

REPORT_SECONDS = 1
GRACE_SECONDS, GOODBYE_SECONDS = 12, 4
SITE = f"""
MLINFN_GLIDEIN_REPORT_SECONDS = {REPORT_SECONDS}
MLINFN_GLIDEIN_GRACE_SECONDS = {GRACE_SECONDS}
MLINFN_GLIDEIN_GOODBYE_SECONDS = {GOODBYE_SECONDS}
MLINFN_HANDOVER_RESERVE_MB = 256
"""
GONE_SECONDS = 60
JOIN_SECONDS = 60
"""On a busy machine; idle it is one second."""


@dataclass
class Running:
    """A glidein whose entrypoint was started."""

    name: str
    work: Path
    words_file: Path
    process: "subprocess.Popen[str]"
    driver: Driver

    @property
    def mine(self) -> str:
        """The requirement of a job that is meant for this glidein alone."""
        return f'TARGET.MlinfnGlidein == "{self.name}"'

    def slots(self, constraint: str = "true") -> list[dict[str, object]]:
        return self.driver.slots(f'MlinfnGlidein == "{self.name}" && ({constraint})')

    def joined(self) -> "Running":
        wait_until(lambda: self.slots() or self.process.poll() is not None, JOIN_SECONDS, f"{self.name} has joined")
        assert self.process.poll() is None, self.said()
        return self

    def said(self) -> str:
        return (self.words_file.parent / "stderr").read_text()

    def words(self) -> dict[str, object]:
        return json.loads(self.words_file.read_text())

    def ended(self, seconds: float = 60) -> Exit:
        """How it ended; nothing of it may be left."""
        code = Exit(self.process.wait(seconds))
        assert list(processes.members(self.work)) == []
        assert not self.work.exists()
        return code

    def drain(self, *how: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        name = self.slots("PartitionableSlot")[0]["Name"]
        return self.driver.run("condor_drain", *how, str(name), user="admin", check=check)

    def tell_to_end(self) -> None:
        self.process.send_signal(signal.SIGTERM)

    def startd(self) -> int:
        return next(pid for pid in processes.members(self.work) if name_of(pid) == "condor_startd")


def simulated(name: str, gpus: int = 2) -> Node:
    """Four cores, 16 GB and simulated T4."""
    devices = [Device("GPUs", f"GPU-{name}-T4-{n}", "T4", "Simulated T4", 15360, simulated=True) for n in range(gpus)]
    return Node(name, 4, 16000, tuple(devices), stands_for="a node with T4, simulated")


def orders(pool: RunningPool, folder: Path, name: str, /, **more: object) -> dict[str, str]:
    """What a glidein of this pool is told; `more` in small letters replaces or, as None, leaves out."""
    simulated(name).write(folder / "node.json")
    (folder / "site.conf").write_text(SITE)
    told = {
        "name": name,
        "kind": "t4",
        "site": "here",
        "collector": f"127.0.0.1:{pool.layout.port.read_text().strip()}",
        "domain": pool.settings.pool,
        "tokens": pool.layout.glidein_tokens,
        "address": "127.0.0.1",
        "description": folder / "node.json",
        "site_config": folder / "site.conf",
        "htcondor": pool.distribution.release_dir,
        "work": folder / "w",
        "words": folder / "words",
    } | more
    return {f"MLINFN_GLIDEIN_{n.upper()}": str(v) for n, v in told.items() if v is not None}


@contextmanager
def glidein(driver: Driver, name: str, /, **more: object) -> Iterator[Running]:
    """A glidein; whatever the test left of it is ended."""
    # Below the pool, and short: tests' own folders may be too long for what HTCondor makes there.
    folder = driver.pool.layout.folder / "glideins" / name
    folder.mkdir(parents=True, exist_ok=True)
    told = orders(driver.pool, folder, name, **more)
    environment = os.environ | told | {"MLINFN_PYTHON": sys.executable}
    with (folder / "stderr").open("w") as stderr:
        process = subprocess.Popen([shipped("glidein") / "entrypoint"], env=environment, stderr=stderr, text=True)
    running = Running(name, folder / "w", folder / "words", process, driver)
    try:
        yield running
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        processes.end(running.work)
        wait_until(lambda: not list(processes.members(running.work)), 10, f"nothing is left of {name}")


def seconds_since(began: float) -> float:
    return time.monotonic() - began


class Provisioners:
    """`mlinfn glidein run` of one pool, as often as a test starts it."""

    def __init__(self, driver: Driver, settings: str) -> None:
        self.driver = driver
        self.layout = driver.pool.layout
        self.layout.glidein_settings.write_text(settings)
        self.running: list[subprocess.Popen[bytes]] = []

    def mlinfn(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            self._command(*words), env=self._environment(), capture_output=True, text=True, check=False
        )

    def start(self) -> "subprocess.Popen[bytes]":
        with (self.driver.folder / "provisioner.log").open("ab") as log:
            started = subprocess.Popen(self._command("glidein", "run"), env=self._environment(), stdout=log, stderr=log)
        self.running.append(started)
        return started

    def kill(self, one: "subprocess.Popen[bytes]") -> None:
        one.kill()
        one.wait()
        self.running.remove(one)

    def listed(self) -> list[dict[str, object]]:
        done = self.mlinfn("glidein", "list", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    def works(self) -> list[Path]:
        """Of glideins that a provisioner asked for: other tests start theirs by hand in the same folder."""
        return [order.with_name("work") for order in self.layout.glideins.glob("*/order.json")]

    def alive(self) -> list[Path]:
        return [work for work in self.works() if processes.entrypoint(work)]

    def joined(self) -> set[str]:
        return {str(slot["MlinfnGlidein"]) for slot in self.driver.slots("MlinfnGlidein isnt undefined")}

    def close(self) -> None:
        for one in list(self.running):
            one.terminate()
            one.wait(30)
        for work in self.works():
            if pid := processes.entrypoint(work):
                os.kill(pid, signal.SIGTERM)
        wait_until(lambda: not self.alive(), GONE_SECONDS, "no entrypoint is left")
        for work in self.works():
            assert list(processes.members(work)) == [], "nothing of a glidein outlives its entrypoint"

    def _command(self, *words: str) -> list[str]:
        return [str(Path(sys.executable).with_name("mlinfn")), "--pool", self.driver.pool.settings.pool, *words]

    def _environment(self) -> dict[str, str]:
        kept = {n: v for n, v in os.environ.items() if n != "CONDOR_CONFIG"}
        return kept | {"MLINFN_HOME": str(self.driver.pool.settings.home), "NO_COLOR": "1"}


@contextmanager
def closing(provisioners: Provisioners) -> Iterator[Provisioners]:
    try:
        yield provisioners
    finally:
        provisioners.close()
