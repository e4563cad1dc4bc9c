"""Which processes belong to a glidein: only those may ever be ended, and after it none of them may be left."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.node.processes import name, others, send, variable

ORDER = "MLINFN_GLIDEIN_WORK"
"""The entrypoint's own variable: its work folder."""
MARK = "MLINFN_GLIDEIN_OF"
"""Variable in the environment of the daemons of a glidein; its value is the work folder."""
POLL_SECONDS = 0.1
FORCE_SECONDS = 5.0


def members(work: Path) -> Iterator[int]:
    """Daemons and payloads of the glidein with this work folder, as far as this user may see them.

    Payloads get an environment of their own: HTCondor's scratch folder in it tells whose they are.
    """
    for pid in others():
        scratch = variable(pid, "_CONDOR_SCRATCH_DIR")
        if variable(pid, MARK) == str(work) or (scratch and Path(scratch).is_relative_to(Layout(work).execute)):
            yield pid


def entrypoint(work: Path) -> int | None:
    """The process that looks after the glidein with this work folder; None when it is gone."""
    return next((pid for pid in others() if (told := variable(pid, ORDER)) and Path(told) == work), None)


def orphans(work: Path) -> list[int]:
    """Members of a glidein whose entrypoint is gone; empty while it lives, for then it looks after them itself."""
    return [] if entrypoint(work) else list(members(work))


def end(work: Path, soft_seconds: float = 0) -> bool:
    """End whatever is left of a glidein: starters softly, so that jobs have their window and go back to the queue, then
    everything by force. False if nothing ran. Needs no startd: a starter tells its access point by itself.
    """
    found = list(members(work))
    if soft_seconds > 0:
        for pid in found:
            if name(pid) == "condor_starter":
                send(pid, signal.SIGTERM)
        _wait_for_starters(work, soft_seconds)
    deadline = time.monotonic() + FORCE_SECONDS
    while left := list(members(work)):
        for pid in left:
            send(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        time.sleep(POLL_SECONDS)
    return bool(found)


def _wait_for_starters(work: Path, seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and any(name(pid) == "condor_starter" for pid in members(work)):
        time.sleep(POLL_SECONDS)
