"""What a person does at a terminal of the pool, for tests: submit, wait for an event, look."""

import json
import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.lifecycle import RunningPool

T = TypeVar("T")
COMPUTE = Path(__file__).parents[2] / "mlinfn_condor/bench/payloads/compute"
POLL_SECONDS = 0.1
CLEAR_SECONDS = 120
"""A job that is removed while it saves its state leaves its slot Preempting for about 58 s."""


@dataclass(frozen=True)
class Event:
    """One line that the stand-in payload wrote."""

    when: float
    what: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Payload:
    """One submitted stand-in job."""

    cluster: int
    proc: int
    priority_class: PriorityClass
    folder: Path
    submitted: float

    def events(self) -> list[Event]:
        path = self.folder / "events" / f"{self.priority_class}-{self.cluster}.{self.proc}"
        lines = path.read_text().splitlines() if path.exists() else []
        return [Event(float(when), what, tuple(devices)) for when, what, *devices in map(str.split, lines)]

    def wait_for(self, what: str, seconds: float = 60, count: int = 1) -> Event:
        """The `count`-th event of this name; fails when it does not come in time."""
        found = wait_until(lambda: [e for e in self.events() if e.what == what][count - 1 :], seconds, f"{self} {what}")
        return found[0]

    def has(self, what: str) -> bool:
        return any(event.what == what for event in self.events())


def wait_until(ask: Callable[[], T], seconds: float, what: str) -> T:
    """What `ask` returns, once it is true."""
    deadline = time.monotonic() + seconds
    while not (answer := ask()):
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {seconds} s in vain for: {what}")
        time.sleep(POLL_SECONDS)
    return answer


class Driver:
    """Speaks to one running pool with the command-line tools, as different users."""

    def __init__(self, pool: RunningPool, folder: Path) -> None:
        self.pool, self.folder = pool, folder

    def run(self, *command: str, user: str = "alice", check: bool = True) -> subprocess.CompletedProcess[str]:
        done = subprocess.run(
            command, env=os.environ | self.pool.environment(user), cwd=self.folder, capture_output=True, text=True
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{' '.join(command)}: {done.stdout}{done.stderr}")
        return done

    def query(self, *command: str, user: str = "alice") -> list[dict[str, Any]]:
        return json.loads(self.run(*command, "-json", user=user).stdout or "[]")

    def slots(self, constraint: str = "true") -> list[dict[str, Any]]:
        return self.query("condor_status", "-constraint", constraint)

    def jobs(self, priority_class: PriorityClass, constraint: str = "true") -> list[dict[str, Any]]:
        return self.query("condor_q", "-name", priority_class.access_point, "-all", "-constraint", constraint)

    def submit(
        self,
        priority_class: PriorityClass = PriorityClass.BATCH,
        *,
        user: str = "alice",
        count: int = 1,
        run_seconds: int = 3600,
        leave_seconds: float = 0.2,
        **lines: object,
    ) -> list[Payload]:
        """Stand-in payloads of a class; `lines` are submit commands, `plus_X` meaning `+X`."""
        commands = {
            "executable": COMPUTE,
            "transfer_executable": "false",
            "should_transfer_files": "NO",
            "arguments": f"{self.folder} {run_seconds} {leave_seconds}",
            "log": self.folder / "log",
            "output": self.folder / "$(Cluster).$(Process).out",
            "error": self.folder / "$(Cluster).$(Process).err",
            "+PriorityClass": f'"{priority_class}"',
            "request_cpus": 1,
            "request_memory": 256,
            "request_disk": 1024,
        } | {name.replace("plus_", "+"): value for name, value in lines.items()}
        text = "\n".join(f"{name} = {value}" for name, value in commands.items()) + f"\nqueue {count}\n"
        file = self.folder / "payload.sub"
        file.write_text(text)
        submitted = time.time()
        terse = self.run("condor_submit", "-terse", "-name", priority_class.access_point, str(file), user=user).stdout
        cluster = int(terse.split(".")[0])
        return [Payload(cluster, proc, priority_class, self.folder, submitted) for proc in range(count)]

    def clear(self) -> None:
        """Remove every job, and wait until no slot is claimed."""
        for priority_class in (PriorityClass.INTERACTIVE, PriorityClass.BATCH):
            name = priority_class.access_point
            self.run("condor_rm", "-name", name, "-constraint", "true", user="admin", check=False)
            self.run("condor_rm", "-name", name, "-forcex", "-constraint", "JobStatus == 3", user="admin", check=False)
        wait_until(lambda: not self.slots("DynamicSlot"), CLEAR_SECONDS, "all slots free")

    def fill_devices(self, user: str = "alice", **lines: object) -> list[Payload]:
        """Batch on every GPU and every FPGA of the pool."""
        gpus = self.submit(user=user, count=16, request_gpus=1, **lines)
        fpgas = self.submit(user=user, count=3, request_fpgas=1, **lines)
        for payload in gpus + fpgas:
            payload.wait_for("computing", 90)
        return gpus + fpgas


@contextmanager
def cleared(driver: Driver) -> Iterator[Driver]:
    driver.clear()
    try:
        yield driver
    finally:
        driver.clear()
