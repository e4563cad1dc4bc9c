"""Which processes belong to an embedded pool: only those may ever be ended."""

import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.node.processes import name, others, send, variable

POLL_SECONDS = 0.1
GOODBYE_SECONDS = 15
GLIDEIN = "MLINFN_GLIDEIN_WORK"
"""Variable of a glidein's entrypoint; its value is the glidein's folder, below the pool's."""
COMPANION = "MLINFN_COMPANION_OF"
"""Variable that marks what the master started beside HTCondor's own daemons; its value is the pool's folder."""


def master(layout: Layout) -> int | None:
    """Process id of the pool's condor_master, if it runs; a stale pid file is not believed."""
    try:
        pid = int(layout.master_pid.read_text())
    except (OSError, ValueError):
        return None
    return pid if name(pid) == "condor_master" and variable(pid, "CONDOR_CONFIG") == str(layout.condor_config) else None


def members(layout: Layout) -> Iterator[int]:
    """Every daemon of the pool and of its glideins, what its master looks after beside them, and its jobs' processes.

    A user's shell may carry the pool's CONDOR_CONFIG too; it is neither a `condor_*` process nor in a scratch folder.
    """
    for pid in others():
        config = variable(pid, "CONDOR_CONFIG") or ""
        scratch = variable(pid, "_CONDOR_SCRATCH_DIR") or ""
        is_daemon = (name(pid) or "").startswith("condor_") and Path(config).is_relative_to(layout.folder)
        is_companion = variable(pid, COMPANION) == str(layout.folder)
        if is_daemon or is_companion or Path(scratch).is_relative_to(layout.folder) or _is_entrypoint(layout, pid):
            yield pid


def _is_entrypoint(layout: Layout, pid: int) -> bool:
    return Path(variable(pid, GLIDEIN) or "").is_relative_to(layout.glideins)


def stop(layout: Layout, graceful_seconds: float) -> bool:
    """End the pool: softly within the time given, then fast, then by force. False if nothing ran."""
    pid = master(layout)
    glideins = [one for one in others() if _is_entrypoint(layout, one)]
    for one in glideins:
        send(one, signal.SIGTERM)
    if pid is not None:
        os.kill(pid, signal.SIGTERM if graceful_seconds > 0 else signal.SIGQUIT)
        if not _gone(layout, pid, graceful_seconds):
            send(pid, signal.SIGQUIT)
            _gone(layout, pid, 10)
    if graceful_seconds > 0:
        _wait_for(layout, glideins, GOODBYE_SECONDS)
    found = pid is not None or bool(glideins)
    # What a killed master left behind: daemons without a parent, payloads without a starter.
    for _ in range(50):
        left = list(members(layout))
        if not left:
            break
        found = True
        for process in left:
            send(process, signal.SIGKILL)
        time.sleep(POLL_SECONDS)
    layout.master_pid.unlink(missing_ok=True)
    return found


def end_companion(layout: Layout, pid_file: Path) -> None:
    """End the companion whose id stands in this file; a file that is gone or stale ends nobody."""
    try:
        pid = int(pid_file.read_text())
    except (OSError, ValueError):
        return
    if variable(pid, COMPANION) == str(layout.folder):
        send(pid, signal.SIGTERM)


def _wait_for(layout: Layout, glideins: list[int], seconds: float) -> None:
    """Until they have ended as they do: their jobs went before the master did."""
    deadline = time.monotonic() + seconds
    while any(_is_entrypoint(layout, one) for one in glideins) and time.monotonic() < deadline:
        time.sleep(POLL_SECONDS)


def _gone(layout: Layout, pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while master(layout) == pid:
        if time.monotonic() > deadline:
            return False
        time.sleep(POLL_SECONDS)
    return True
