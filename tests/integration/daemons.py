"""Finding the processes of a pool, so that a test can kill just the one that it means."""

import os
import signal
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from driver import Payload

from mlinfn_condor.embedded import processes
from mlinfn_condor.embedded.layout import Layout


@dataclass(frozen=True)
class Process:
    """One process, as /proc tells of it."""

    pid: int

    @property
    def command(self) -> str:
        return self._read("cmdline").replace("\0", " ")

    @property
    def parent(self) -> int:
        return int(self._read("stat").rpartition(")")[2].split()[1])

    @property
    def environment(self) -> dict[str, str]:
        return dict(line.partition("=")[::2] for line in self._read("environ").split("\0"))

    def kill(self) -> None:
        os.kill(self.pid, signal.SIGKILL)

    def _read(self, name: str) -> str:
        try:
            return Path(f"/proc/{self.pid}/{name}").read_text(errors="replace")
        except OSError:  # it has ended
            return ""


def daemons(layout: Layout, program: str, *words: str) -> list[Process]:
    """Daemons of the pool that run this program, with these words in their command; shadows and starters too."""
    found = [Process(pid) for pid in processes.members(layout)]
    return [one for one in found if program in one.command and all(word in one.command for word in words)]


def schedd(layout: Layout, *, interactive: bool) -> list[Process]:
    return [one for one in daemons(layout, "condor_schedd") if ("interactive" in one.command) is interactive]


def shadow(layout: Layout, payload: Payload) -> list[Process]:
    """The payload's shadow: two access points count their jobs apart, so the schedd is part of its name."""
    parents = {one.pid for one in schedd(layout, interactive=payload.priority_class == "interactive")}
    job = f"condor_shadow {payload.cluster}.{payload.proc} "
    return [one for one in daemons(layout, job) if one.parent in parents]


def running(layout: Layout, payload: Payload) -> list[Process]:
    """The payload's own processes."""
    return [one for one in map(Process, processes.members(layout)) if _is_job(one.environment, payload)]


def starter(layout: Layout, payload: Payload) -> list[Process]:
    parents = {one.parent for one in running(layout, payload)}
    return [one for one in daemons(layout, "condor_starter") if one.pid in parents]


def startd(layout: Layout, payload: Payload) -> list[Process]:
    parents = {one.parent for one in starter(layout, payload)}
    return [one for one in daemons(layout, "condor_startd") if one.pid in parents]


def kill(found: Iterable[Process]) -> None:
    """kill -9; fails if there is nothing to kill."""
    found = list(found)
    assert found, "there is no such daemon"
    for one in found:
        one.kill()


def _is_job(environment: dict[str, str], payload: Payload) -> bool:
    try:
        ad = Path(environment["_CONDOR_JOB_AD"]).read_text().splitlines()
    except (KeyError, OSError):
        return False
    wanted = {
        f"ClusterId = {payload.cluster}",
        f"ProcId = {payload.proc}",
        f'PriorityClass = "{payload.priority_class}"',
    }
    return wanted <= set(ad)
