"""HTCondor's own commands, where the bindings have no way: in PATH, with a bounded time."""

import subprocess
from collections.abc import Mapping

from mlinfn_condor.errors import PoolUnavailable

ANSWER_SECONDS = 20


class CommandFailed(PoolUnavailable):
    """The command ran, and says no; the message is what it said, in one line."""


def run(environment: Mapping[str, str], command: str, *words: str) -> str:
    """What it prints. Raises CommandFailed, and PoolUnavailable when it did not run or did not end."""
    try:
        done = subprocess.run(
            [command, *words],
            env=environment,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=ANSWER_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise PoolUnavailable(f"{command} did not run: {error}") from error
    if done.returncode != 0:
        raise CommandFailed(" ".join((done.stderr or done.stdout).split()))
    return done.stdout
