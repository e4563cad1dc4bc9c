"""Whose tokens are void: a map that access points and collector look into at each new connection (MLINFN_LEAVERS_MAP).

A line is a name and the second up to which tokens of his that were issued count for nothing. An account that has ended
is in it while it has ended; a name whose account was removed stays in it: whoever has it later gets newer tokens.
"""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.project_map import says, write
from mlinfn_condor.identity.names import IDENTITY, ROLES
from mlinfn_condor.pool.protocol import ACCESS_POINTS, Pool

Ends = Mapping[str, int]
"""Name → second of the epoch up to which his tokens are void."""
COLLECTOR = "the collector"

log = logging.getLogger("accounts")


def void(accounts: Accounts, removed: Ends, now: datetime) -> dict[str, int]:
    """What the map has to say. `removed`: when accounts were removed, and others left, the latest time of each name.

    Roles are never in it: an account `admin` of the hub would take the pool's own token of that name along.
    """
    ended = {
        name: int(account.until.timestamp())
        for name, account in accounts.items()
        if account.until is not None and account.ended(now)
    }
    names = sorted(removed.keys() | ended.keys())
    return {
        name: max(removed.get(name, 0), ended.get(name, 0))
        for name in names
        if IDENTITY.fullmatch(name) and name not in ROLES
    }


def render(ends: Ends) -> str:
    """Lines of the map."""
    return "".join(f"* {name} {until}\n" for name, until in ends.items())


class Revocation:
    """The map, and daemons that have read it."""

    def __init__(self, map_file: Path, pool: Callable[[], Pool]) -> None:
        self._map_file, self._pool = map_file, pool
        self._heard: dict[str, str] = {}

    def tell(self, ends: Ends, beside: str = "") -> None:
        """Bring map and daemons there. Raises MlinfnError when one has not read it; the others have all the same.

        `beside`: what another map says that the collector has to read again when it has changed; access points heard
        of it with the map of projects.
        """
        text = render(ends)
        if not says(self._map_file, text):
            write(self._map_file, text)
        failed: list[MlinfnError] = []
        for daemon in (*ACCESS_POINTS, COLLECTOR):
            news = text + beside if daemon == COLLECTOR else text
            if self._heard.get(daemon) == news:
                continue
            try:
                self._have_it_read(daemon)
            except MlinfnError as error:
                failed.append(error)
                continue
            self._heard[daemon] = news
            log.info("%s refuses the tokens of %d people", daemon, len(ends))
        if failed:
            raise failed[0]

    def _have_it_read(self, daemon: str) -> None:
        if daemon == COLLECTOR:
            self._pool().reconfigure_collector()
        else:
            self._pool().reconfigure(daemon)
