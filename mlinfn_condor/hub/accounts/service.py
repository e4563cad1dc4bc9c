"""The accounts service: how it joins JupyterHub, and its loop."""

import logging
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from mlinfn_condor.complaints import Complaint
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub import hubs_child
from mlinfn_condor.hub.accounts.account import now
from mlinfn_condor.hub.accounts.steward import Steward

NAME = "mlinfn-accounts"
SCOPES = ("list:users", "read:users:name", "read:servers", "delete:servers", "tokens", "delete:users")
ROUND_SECONDS = 20
"""How late the end of an account may take effect."""
RETRY_SECONDS = 2
"""How soon a daemon that did not answer is asked again: somebody may be waiting for his first session."""
LOOK_SECONDS = 0.2
"""How late a change of the accounts is seen; a look is two `stat` calls."""
_PASSED_ON = ("CONDOR_CONFIG", "MLINFN_ROLE", "PATH", "PGPASSFILE")
"""What the pool's configuration, and the register's password, are found by."""

log = logging.getLogger("accounts")


def service(settings: Path) -> dict[str, Any]:
    """An entry for JupyterHub.services; `settings` is the hub's settings file. The hub restarts it when it ends."""
    return {
        "name": NAME,
        "command": [sys.executable, "-m", "mlinfn_condor.hub.accounts", "--settings", str(settings)],
        "environment": {name: os.environ[name] for name in _PASSED_ON if name in os.environ} | hubs_child.told(),
    }


def roles() -> list[dict[str, Any]]:
    """Entries for JupyterHub.load_roles."""
    return [{"name": NAME, "services": [NAME], "scopes": list(SCOPES)}]


class Rounds:
    """One task, done after each change and each round, and again soon after a failure, which is logged once."""

    def __init__(self, what: str, task: Callable[[], None], round_seconds: float = ROUND_SECONDS) -> None:
        self._what, self._task, self._round_seconds = what, task, round_seconds
        self._next, self._complaint = 0.0, Complaint(log.warning)

    def turn(self, moment: float, *, changed: bool) -> None:
        """Do it if it is time; `moment` in monotonic seconds."""
        if not changed and moment < self._next:
            return
        try:
            self._task()
        except (MlinfnError, OSError) as error:
            self._complaint.make(f"{self._what}: {error}; tried again until it works")
            self._next = moment + RETRY_SECONDS
        else:
            self._complaint.settle()
            self._next = moment + self._round_seconds


def run(steward: Steward, version: Callable[[], object]) -> None:
    """For as long as the hub is there."""
    seen = version()
    rounds = [
        Rounds("the register of people", lambda: steward.enrol(now())),
        Rounds("membership", lambda: steward.tell_the_pool(now())),
        Rounds("tokens of leavers", lambda: steward.revoke_tokens(now())),
        Rounds("ends of accounts", lambda: steward.end_what_is_over(now())),
        Rounds("jobs of ended accounts", lambda: steward.remove_jobs(now())),
    ]
    while True:
        current = version()
        for each in rounds:
            each.turn(time.monotonic(), changed=current != seen)
        seen = current
        time.sleep(LOOK_SECONDS)
