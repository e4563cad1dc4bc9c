"""What people leave in the queues whose accounts are over: batch and Dask jobs, and sessions that no hub started.

The hub's own identity may act at the sessions' access point only. This is done with the administrator's token that the
accounts service has anyway (`[accounts] pool_token_directory`).
"""

import logging
from collections.abc import Callable, Collection, Mapping
from datetime import datetime

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import JobNotFound, JobRefused
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.project_map import Members
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.identity.names import IDENTITY
from mlinfn_condor.pool.protocol import Pool

REASON = "the account of its owner has ended"
BATCH = PriorityClass.BATCH.access_point

log = logging.getLogger("accounts")


class Leavers:
    """Those whose accounts are over. Each is looked after until nothing of his is queued and he can queue nothing."""

    def __init__(self, store: Store, pool: Callable[[], Pool], base: Members | None = None) -> None:
        """`base`: people of the pool who need no account."""
        self._store, self._pool = store, pool
        self._base: Members = base or {}
        self._removed: set[str] = set()
        self._done: set[tuple[str, datetime | None]] = set()

    def add(self, name: str) -> None:
        """Somebody whose account was removed: nothing else tells of him."""
        if name not in self._base:
            self._removed.add(name)

    def remove_jobs(self, now: datetime, elsewhere: Collection[str] = ()) -> None:
        """Take their jobs out of the queues; running ones get their window. Raises MlinfnError.

        `elsewhere`: people for whom somebody else than an account vouches.
        """
        if self._store.version() is None:
            return  # a file that is missing is not everybody's end
        accounts = self._store.read()
        self._removed -= accounts.keys() | set(elsewhere)
        others = self._base.keys() | set(elsewhere)
        ended = over(accounts, self._removed, now, others)
        self._done &= set(ended.items())
        waiting = {name for name, until in ended.items() if (name, until) not in self._done}
        if not waiting:
            return
        holding = self._remove_jobs_of(waiting)
        can_submit = membership.applied(self._store, BATCH).keys()
        self._done |= {(name, ended[name]) for name in waiting - holding - can_submit}

    def _remove_jobs_of(self, names: Collection[str]) -> set[str]:
        """Who of them still had jobs."""
        pool = self._pool()
        refused: JobRefused | None = None
        holding = set()
        for job in pool.jobs(constraint(names)):
            holding.add(job.user)
            if job.state.final:
                continue
            try:
                pool.remove(job.id, REASON)
                log.info("removed %s of %s: %s", job.id, job.user, REASON)
            except JobNotFound:
                continue  # it ended by itself
            except JobRefused as error:
                refused = error
        if refused:
            raise refused
        return holding


def over(
    accounts: Accounts, removed: Collection[str], now: datetime, others: Collection[str] = ()
) -> Mapping[str, datetime | None]:
    """Whose accounts are over, and since when as far as anybody knows: ended, removed, or without any project left.

    `others` have projects without their accounts.
    """
    ended = {
        name: account.until
        for name, account in accounts.items()
        if account.ended(now) or not (account.admits(now) or name in others)
    }
    return {name: until for name, until in (ended | dict.fromkeys(removed)).items() if IDENTITY.fullmatch(name)}


def constraint(names: Collection[str]) -> str:
    """Their jobs; sessions of a hub are the hub's to end."""
    owners = " || ".join(f'Owner == "{name}"' for name in sorted(names))
    return f"({owners}) && MlinfnHub is undefined"
