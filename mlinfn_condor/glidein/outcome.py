"""How a glidein ended: its exit code and its last words, which whoever started it reads."""

import json
from enum import IntEnum
from pathlib import Path

from mlinfn_condor.errors import MlinfnError

MOST_WORDS = 3000
"""Letters: Kubernetes keeps 4,096 bytes of a pod's last words."""


class Exit(IntEnum):
    """Exit codes of the entrypoint. The first two are as it should be; the rest, somebody may have to look at."""

    IDLE = 0
    """Nobody claimed it for its idle time."""
    RETIRED = 10
    """It was drained."""
    STARTUP = 20
    """It cannot start: its orders, its configuration, devices that it should have and has not."""
    JOIN = 30
    """The collector did not take it in time: no answer, or a token that is refused."""
    CRASHED = 40
    """Its startd ended by itself, or was killed (out of memory)."""
    TERMINATED = 143
    """It was told to end (SIGTERM): removed, evicted, its machine shut down. The code is the shell's for it."""

    @property
    def as_it_should(self) -> bool:
        """Whether nothing went wrong in the glidein itself."""
        return self in (Exit.IDLE, Exit.RETIRED, Exit.TERMINATED)


class GlideinFailed(MlinfnError):
    """The glidein ends; the message is for people, the code for what started it."""

    page = "docs/operations.md#a-glidein"

    def __init__(self, code: Exit, message: str) -> None:
        super().__init__(message)
        self.code = code


def last_words(code: Exit, detail: str) -> str:
    """One line of JSON: `code`, `cause` (the code's name in small letters), `detail`."""
    words = {"code": int(code), "cause": code.name.lower(), "detail": detail[-MOST_WORDS:]}
    return json.dumps(words) + "\n"


def leave_words(path: Path | None, code: Exit, detail: str) -> None:
    """Write the last words where they are asked for; a file that cannot be written changes no ending."""
    if path is None:
        return
    try:
        path.write_text(last_words(code, detail))
    except OSError:
        return
