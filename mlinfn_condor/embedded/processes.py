"""Which processes belong to an embedded pool: only those may ever be ended."""

import contextlib
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.embedded.layout import Layout

POLL_SECONDS = 0.1
COMPANION = "MLINFN_COMPANION_OF"
"""Variable that marks what the master started beside HTCondor's own daemons; its value is the pool's folder."""


def master(layout: Layout) -> int | None:
    """Process id of the pool's condor_master, if it runs; a stale pid file is not believed."""
    try:
        pid = int(layout.master_pid.read_text())
    except (OSError, ValueError):
        return None
    return (
        pid if _name(pid) == "condor_master" and _variable(pid, "CONDOR_CONFIG") == str(layout.condor_config) else None
    )


def members(layout: Layout) -> Iterator[int]:
    """Every daemon of the pool, what its master looks after beside them, and every process of its jobs.

    A user's shell may carry the pool's CONDOR_CONFIG too; it is neither a `condor_*` process nor in a scratch folder.
    """
    for entry in Path("/proc").iterdir():
        if not entry.name.isdigit() or int(entry.name) == os.getpid():
            continue
        pid = int(entry.name)
        config = _variable(pid, "CONDOR_CONFIG") or ""
        scratch = _variable(pid, "_CONDOR_SCRATCH_DIR") or ""
        is_daemon = (_name(pid) or "").startswith("condor_") and Path(config).parent == layout.etc
        is_companion = _variable(pid, COMPANION) == str(layout.folder)
        if is_daemon or is_companion or Path(scratch).is_relative_to(layout.folder / "execute"):
            yield pid


def stop(layout: Layout, graceful_seconds: float) -> bool:
    """End the pool: softly within the time given, then fast, then by force. False if nothing ran."""
    pid = master(layout)
    if pid is not None:
        os.kill(pid, signal.SIGTERM if graceful_seconds > 0 else signal.SIGQUIT)
        if not _gone(layout, pid, graceful_seconds):
            _signal(pid, signal.SIGQUIT)
            _gone(layout, pid, 10)
    found = pid is not None
    # What a killed master left behind: daemons without a parent, payloads without a starter.
    for _ in range(50):
        left = list(members(layout))
        if not left:
            break
        found = True
        for process in left:
            _signal(process, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    layout.master_pid.unlink(missing_ok=True)
    return found


def end_companion(layout: Layout, pid_file: Path) -> None:
    """End the companion whose id stands in this file; a file that is gone or stale ends nobody."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return
    if _variable(pid, COMPANION) == str(layout.folder):
        _signal(pid, signal.SIGTERM)


def _gone(layout: Layout, pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while master(layout) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True


def _signal(pid: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):  # It ended by itself in the meantime, which is what was wanted.
        os.kill(pid, number)


def _name(pid: int) -> str | None:
    try:
        return Path(f"/proc/{pid}/comm").read_text().strip()
    except OSError:
        return None


def _variable(pid: int, name: str) -> str | None:
    try:
        environment = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return None
    prefix = f"{name}=".encode()
    return next((os.fsdecode(v[len(prefix) :]) for v in environment.split(b"\0") if v.startswith(prefix)), None)
