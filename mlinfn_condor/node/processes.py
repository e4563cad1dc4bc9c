"""Processes of this machine, as /proc tells of them: by name, and by what stands in their environment."""

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path


def others() -> Iterator[int]:
    """Every process but this one."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            yield int(entry.name)


def name(pid: int) -> str | None:
    """Name of its program, cut at 15 letters; None when it has ended."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def variable(pid: int, wanted: str) -> str | None:
    """A variable of its environment as its program started with; None of other users' processes, and of ended ones."""
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{wanted}=".encode()
    return next((os.fsdecode(v[len(prefix) :]) for v in environment.split(b"\0") if v.startswith(prefix)), None)


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may end by itself in the meantime, which is what was wanted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
