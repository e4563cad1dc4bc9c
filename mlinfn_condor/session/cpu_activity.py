"""The CPU time and the processes of a session: of its cgroup where HTCondor made one, else found in /proc.

A process belongs to the session if it descends from the session's first one, or carries the same scratch folder in its
environment: `nohup … &` and `setsid` leave the family, not the job.
"""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

_SLOT = re.compile(r"_slot\d+(_\d+)*@[^/]+$")
"""How HTCondor calls the cgroup of a job: execute folder and slot."""
_SCRATCH = b"_CONDOR_SCRATCH_DIR="
_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True)
class Usage:
    """CPU seconds so far, and which processes live now."""

    cpu_seconds: float
    pids: frozenset[int]


class Meter(Protocol):
    """Tells what the session has used, its Jupyter server excepted."""

    def look(self) -> Usage:
        """Never falls from one look to the next."""


def meter(environment: Mapping[str, str], server: int, proc: Path = Path("/proc")) -> Meter:
    """The exact meter where the job has a cgroup of its own, else the other; `server` is the Jupyter server's pid."""
    try:
        group = _own_cgroup((proc / str(server) / "cgroup").read_text())
    except OSError:
        group = None
    if group is not None and (group / "cpu.stat").exists():
        return CgroupMeter(group, server, proc)
    return ProcessMeter(server, environment.get("_CONDOR_SCRATCH_DIR"), proc)


def _own_cgroup(told: str) -> Path | None:
    for line in told.splitlines():
        _, controllers, path = line.split(":", 2)
        if not controllers and _SLOT.search(path):
            return Path("/sys/fs/cgroup") / path.lstrip("/")
    return None


class CgroupMeter:
    """Reads cpu.stat, which counts processes that have ended too."""

    def __init__(self, group: Path, server: int, proc: Path = Path("/proc")) -> None:
        self._group, self._server, self._proc = group, server, proc

    def look(self) -> Usage:
        """OSError if the cgroup is gone."""
        counted = dict(line.split() for line in (self._group / "cpu.stat").read_text().splitlines())
        own = _process(self._proc, self._server)
        seconds = int(counted["usage_usec"]) / 1e6 - (own.own_seconds if own else 0.0)
        pids = frozenset(map(int, (self._group / "cgroup.procs").read_text().split()))
        return Usage(max(0.0, seconds), pids)


@dataclass(frozen=True)
class _Process:
    parent: int
    started: int
    own_seconds: float
    ended_children_seconds: float


class ProcessMeter:
    """Adds up /proc. What a process used that ended unseen between two looks is in its parent's account of children."""

    def __init__(self, server: int, scratch: str | None, proc: Path = Path("/proc")) -> None:
        self._server, self._proc = server, proc
        self._mark = _SCRATCH + os.fsencode(scratch) if scratch else None
        self._marked: dict[tuple[int, int], bool] = {}
        self._before: dict[tuple[int, int], _Process] = {}
        self._used = 0.0

    def look(self) -> Usage:
        """Count what was used since the last look, the whole life of processes at the first."""
        now = {(pid, process.started): process for pid, process in self._members().items()}
        self._used += self._since(now)
        self._before = now
        return Usage(self._used, frozenset(pid for pid, _ in now))

    def _since(self, now: dict[tuple[int, int], _Process]) -> float:
        total = self._sum(now) - self._sum(self._before)
        # The sum falls when an orphan ends, whom nobody accounts for. Those who live have still used what they used.
        nothing = _Process(0, 0, 0.0, 0.0)
        living = sum(
            process.own_seconds - self._before.get(key, nothing).own_seconds
            for key, process in now.items()
            if key[0] != self._server
        )
        return max(total, living, 0.0)

    def _sum(self, processes: dict[tuple[int, int], _Process]) -> float:
        return sum(
            process.ended_children_seconds + (process.own_seconds if pid != self._server else 0.0)
            for (pid, _), process in processes.items()
        )

    def _members(self) -> dict[int, _Process]:
        processes = {pid: found for pid in _pids(self._proc) if (found := _process(self._proc, pid)) is not None}
        self._marked = {key: told for key, told in self._marked.items() if key[0] in processes}
        roots = {self._server} | {pid for pid in processes if self._carries_mark(pid, processes[pid].started)}
        members: dict[int, bool] = {}

        def belongs(pid: int) -> bool:
            if pid not in members:
                members[pid] = pid in roots or (
                    pid in processes and processes[pid].parent > 1 and belongs(processes[pid].parent)
                )
            return members[pid]

        return {pid: process for pid, process in processes.items() if belongs(pid)}

    def _carries_mark(self, pid: int, started: int) -> bool:
        if self._mark is None:
            return False
        # The environment at the start of the process never changes: one look in its life.
        if (pid, started) not in self._marked:
            self._marked[pid, started] = self._mark in _environment(self._proc, pid)
        return self._marked[pid, started]


def _pids(proc: Path) -> list[int]:
    return [int(name) for name in os.listdir(proc) if name.isdigit()]  # noqa: PTH208 - twice as fast as iterdir


def _environment(proc: Path, pid: int) -> list[bytes]:
    try:
        return (proc / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # Another user's, or gone.
        return []


def _process(proc: Path, pid: int) -> _Process | None:
    try:
        told = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may hold any character, parentheses included.
    fields = told[told.rindex(")") + 2 :].split()
    user, system, children_user, children_system = (int(field) / _TICKS for field in fields[11:15])
    return _Process(int(fields[1]), int(fields[19]), user + system, children_user + children_system)
