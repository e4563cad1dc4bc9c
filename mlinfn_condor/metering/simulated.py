"""Simulated devices: as busy as the processor work of the payload that holds them, or as busy as that payload says.

There is no device, so there is nothing to measure; these figures make a pool without accelerators tell something that
follows what its jobs do. Every reading of theirs says `EnergySource = "simulated"`.
"""

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.metering.look import Look, unknown

IDLE_WATTS, FULL_WATTS = 30.0, 250.0
"""Of each simulated device, at rest and busy."""
STATED = "MLINFN_SIMULATED_BUSY"
"""In a payload's environment: the utilisation of its simulated devices, 0 to 1."""
_ASSIGNED = ("_CONDOR_AssignedGPUs", "_CONDOR_AssignedFPGAs")
_TICKS = os.sysconf("SC_CLK_TCK")
REASON = "simulated: as busy as the processor work of its payload"
OTHERS = "simulated, and payloads run as other users here: their work cannot be seen"


@dataclass(frozen=True)
class _Process:
    """A process since it last called exec: its environment never changes from then on."""

    pid: int
    started: int
    """Clock ticks since boot."""
    code: str
    """Address of its code: another one after each exec, the parent's before the first; 0 of other users' processes."""


@dataclass(frozen=True)
class _Payload:
    """What a process says of the job that it belongs to."""

    devices: frozenset[str]
    stated: float | None


class SimulatedDriver:
    """Looks for payloads in /proc; only those of the user that it runs as can be seen."""

    def __init__(self, proc: Path = Path("/proc"), sees_payloads: bool = True) -> None:
        self._proc, self._sees_payloads = proc, sees_payloads
        self._payloads: dict[_Process, _Payload | None] = {}
        self._used: dict[tuple[int, int], float] = {}
        """By pid and start."""
        self._last: float | None = None

    def look(self, ids: Sequence[str], at: float) -> Mapping[str, Look]:
        """One look at each; what a process used before it was first seen counts in full."""
        if not self._sees_payloads:
            return unknown(ids, at, OTHERS, "ok")
        worked, stated = self._work()
        seconds, self._last = at - self._last if self._last is not None else None, at
        looks = {}
        for one in ids:
            busy = stated.get(one)
            if busy is None and seconds:
                busy = min(1.0, worked.get(one, 0.0) / seconds)
            watts = IDLE_WATTS + (FULL_WATTS - IDLE_WATTS) * (busy or 0.0)
            looks[one] = Look(at, "ok", (REASON,), busy, power_watts=watts, simulated=True)
        return looks

    def _work(self) -> tuple[dict[str, float], dict[str, float]]:
        """By device: processor seconds since the last look, and the utilisation that payloads state."""
        worked: dict[str, float] = {}
        stated: dict[str, float] = {}
        alive: dict[_Process, _Payload | None] = {}
        used: dict[tuple[int, int], float] = {}
        for pid in (int(name) for name in os.listdir(self._proc) if name.isdigit()):  # noqa: PTH208
            read = _stat(self._proc, pid)
            if read is None:
                continue
            process, seconds = read
            payload = self._payloads[process] if process in self._payloads else _payload(self._proc, pid)
            alive[process] = payload
            if payload is None:
                continue
            key = pid, process.started
            used[key] = seconds
            for device in payload.devices:
                worked[device] = worked.get(device, 0.0) + max(0.0, seconds - self._used.get(key, 0.0))
                if payload.stated is not None:
                    stated[device] = payload.stated
        self._payloads, self._used = alive, used
        return worked, stated


def payloads_are_ours(proc: Path, startd: int) -> bool:
    """Whether the startd runs payloads as its own user: one that was started by root gives them to their owners."""
    try:
        told = (proc / str(startd) / "status").read_text()
    except OSError:
        return False
    users = next((line.split()[1:] for line in told.splitlines() if line.startswith("Uid:")), [])
    return bool(users) and "0" not in users


def _stat(proc: Path, pid: int) -> tuple[_Process, float] | None:
    """A process and its own processor seconds; children report for themselves."""
    try:
        told = (proc / str(pid) / "stat").read_text(errors="replace")
    except OSError:
        return None
    # The name stands in parentheses and may hold any character, parentheses included.
    fields = told[told.rindex(")") + 2 :].split()
    return _Process(pid, int(fields[19]), fields[23]), (int(fields[11]) + int(fields[12])) / _TICKS


def _payload(proc: Path, pid: int) -> _Payload | None:
    try:
        environment = dict(
            entry.split("=", 1)
            for entry in (proc / str(pid) / "environ").read_bytes().decode(errors="replace").split("\0")
            if "=" in entry
        )
    except OSError:  # Another user's, or gone.
        return None
    devices = frozenset(one for name in _ASSIGNED for one in environment.get(name, "").split(",") if one)
    return _Payload(devices, _fraction(environment.get(STATED))) if devices else None


def _fraction(told: str | None) -> float | None:
    try:
        return min(1.0, max(0.0, float(told))) if told is not None else None
    except ValueError:
        return None
