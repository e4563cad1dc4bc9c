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


def descendants(ancestor: int) -> set[int]:
    """Its children, theirs, and so on; whoever may not see a process's environment sees its parent all the same."""
    children: dict[int, list[int]] = {}
    for pid in others():
        children.setdefault(_parent(pid), []).append(pid)
    found: set[int] = set()
    unseen = [ancestor]
    while unseen:
        new = [pid for pid in children.get(unseen.pop(), ()) if pid not in found]
        found.update(new)
        unseen += new
    return found


def _parent(pid: int) -> int:
    try:
        return int(Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[1])
    except (OSError, IndexError):  # it has ended
        return 0


def send(pid: int, number: signal.Signals) -> None:
    """Signal a process that may end by itself in the meantime, which is what was wanted."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, number)
