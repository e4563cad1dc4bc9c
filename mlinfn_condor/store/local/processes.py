"""Which processes belong to a private server: those named `postgres` that work in its data folder."""

import contextlib
import os
import select
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.store.local.layout import Layout

READY = "ready"
"""Eighth line of postmaster.pid once connections are taken."""


def postmaster(layout: Layout) -> int | None:
    """Process id of the server, if it runs. The file of a killed server is not believed, whoever has its id now."""
    lines = _lines(layout)
    pid = int(lines[0]) if lines and lines[0].isdigit() else None
    return pid if pid is not None and _is_ours(pid, layout) else None


def claimed_by_another(layout: Layout) -> bool:
    """Whether the id that stands in postmaster.pid is that of a process which is not the server's."""
    lines = _lines(layout)
    return bool(lines) and Path(f"/proc/{lines[0]}").exists() and postmaster(layout) is None


def is_ready(layout: Layout) -> bool:
    """Whether the server says that it takes connections."""
    lines = _lines(layout)
    return len(lines) >= 8 and lines[7].strip() == READY


def members(layout: Layout) -> Iterator[int]:
    """Every process of the server, also those that outlived it."""
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and _is_ours(int(entry.name), layout):
            yield int(entry.name)


def end_orphans(layout: Layout, seconds: float) -> list[int]:
    """End what a killed server left running, which still writes to its memory; the ids of those that would not go.

    PostgreSQL's children leave by themselves when their server dies, but one in a long query only when told.
    """
    orphans = list(members(layout))
    for pid in orphans:
        with contextlib.suppress(ProcessLookupError):  # It left by itself in the meantime.
            os.kill(pid, signal.SIGQUIT)
    deadline = time.monotonic() + seconds
    return [pid for pid in orphans if not ends(pid, deadline - time.monotonic()) and _is_ours(pid, layout)]


def ends(pid: int, seconds: float) -> bool:
    """Whether the process is gone, or goes within this time."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([descriptor], [], [], max(0.0, seconds))[0])
    finally:
        os.close(descriptor)


def _is_ours(pid: int, layout: Layout) -> bool:
    try:
        name = Path(f"/proc/{pid}/comm").read_text().strip()
        folder = Path(f"/proc/{pid}/cwd").readlink()
    except OSError:  # Gone, or another user's.
        return False
    return name == "postgres" and folder in (layout.data.resolve(), layout.unfinished_data.resolve())


def _lines(layout: Layout) -> list[str]:
    try:
        return layout.postmaster_pid.read_text().splitlines()
    except OSError:
        return []
