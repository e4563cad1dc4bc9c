"""Which processes belong to a glidein: only those may ever be ended, and after it none of them may be left."""

import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from mlinfn_condor.glidein.layout import Layout
from mlinfn_condor.node.processes import descendants, name, others, send, variable

ORDER = "MLINFN_GLIDEIN_WORK"
"""The entrypoint's own variable: its work folder."""
MARK = "MLINFN_GLIDEIN_OF"
"""Variable in the environment of the daemons of a glidein; its value is the work folder."""
STARTER = "condor_starter"
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


def end(
    work: Path, soft_seconds: float = 0, heir: int | None = None, reap: Callable[[], object] = lambda: None
) -> bool:
    """End whatever is left of a glidein: starters softly, so that jobs have their window and go back to the queue, then
    everything by force. False if nothing ran. Needs no startd: a starter tells its access point by itself.

    `heir`: the process that inherited its orphans. In a pod even root may not look into the environment of its users'
    processes; whose descendants they are, everybody may know. `reap` takes those that ended, for they count till then.
    """

    def everyone() -> list[int]:
        return list({*members(work), *(descendants(heir) if heir else ())})

    found = everyone()
    if soft_seconds > 0:
        for pid in found:
            if name(pid) == STARTER:
                send(pid, signal.SIGTERM)
        deadline = time.monotonic() + soft_seconds
        while time.monotonic() < deadline and any(name(pid) == STARTER for pid in everyone()):
            reap()
            time.sleep(POLL_SECONDS)
    deadline = time.monotonic() + FORCE_SECONDS
    while left := everyone():
        for pid in left:
            send(pid, signal.SIGKILL)
        if time.monotonic() > deadline:
            break
        reap()
        time.sleep(POLL_SECONDS)
    return bool(found)
