"""Keeps hub and pool in step with the accounts: ends what ended accounts hold, tells the pool who belongs where."""

import logging
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Protocol

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.accounts import membership, project_map
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.hub_api import Session
from mlinfn_condor.pool.protocol import ACCESS_POINTS, Pool

log = logging.getLogger("accounts")


class Hub(Protocol):
    """What is asked of the hub; each call raises HubUnavailable."""

    def sessions(self) -> list[Session]:
        """Servers that are up."""

    def stop(self, session: Session) -> None:
        """Ask the hub to stop one."""

    def tokens(self, user: str) -> list[str]:
        """Ids of a user's tokens."""

    def revoke(self, user: str, token: str) -> None:
        """Take one away."""

    def users(self) -> list[str]:
        """Everybody whom the hub remembers; administrators by the hub's own settings are not among them."""

    def forget(self, user: str) -> None:
        """Make the hub forget a user: cookies and tokens of his open nothing any more, whoever has his name later."""


class Steward:
    """Each method brings one thing to what the accounts say; what failed is tried again at the next call."""

    def __init__(
        self,
        store: Store,
        hub: Hub,
        pool: Callable[[], Pool],
        map_file: Path,
        projects: Sequence[str],
        *,
        base: project_map.Members | None = None,
        home_of: Callable[[str], Path] | None = None,
    ) -> None:
        """`projects`: the pool's. `base`: people without an account. `home_of`: where homes are made; None: nowhere."""
        self._store, self._hub, self._pool, self._map_file = store, hub, pool, map_file
        self._projects = projects
        self._base: Mapping[str, tuple[str, ...]] = base or {}
        self._home_of = home_of
        self._without_tokens: set[tuple[str, datetime | None]] = set()
        self._left_out: list[str] = []

    def tell_the_pool(self, now: datetime) -> None:
        """Homes, the map of projects, and access points that have read it. Raises MlinfnError when one has not."""
        who = project_map.members(self._base, self._store.read(), now)
        for name in who:
            self._make_home(name)
        self._complain_of(project_map.unknown(who, self._projects))
        text = project_map.render(project_map.known(who, self._projects))
        if not project_map.says(self._map_file, text):
            membership.forget_applied(self._store)  # first: killed between the two, we would take the old for the new
            project_map.write(self._map_file, text)
        self._have_it_read(who)

    def end_what_is_over(self, now: datetime) -> None:
        """Stop sessions and revoke tokens of people whose accounts are over; forget those whose are gone.

        Raises MlinfnError.
        """
        if self._store.version() is None:
            return  # no accounts at all is a file that is missing, not everybody's end
        # Accounts last: who signs in for the first time has one before the hub knows him.
        sessions, users = self._hub.sessions(), self._hub.users()
        accounts = self._store.read()
        over = excluded(accounts, [session.user for session in sessions], now)
        for session in sessions:
            if session.user in over:
                log.info("stop %s of %s: his account is over", session.server or "the server", session.user)
                self._hub.stop(session)
        self._without_tokens = {(user, until) for user, until in self._without_tokens if user in over}
        for user in over:
            self._revoke(user, accounts[user].until if user in accounts else None)
        holding = {session.user for session in sessions}
        for user in users:
            if user not in accounts and user not in holding:
                log.info("forget %s: he has no account any more", user)
                self._hub.forget(user)

    def _have_it_read(self, who: project_map.Members) -> None:
        failed: list[MlinfnError] = []
        for access_point in ACCESS_POINTS:
            if membership.applied(self._store, access_point) == who:
                continue
            try:
                self._pool().reconfigure(access_point)
            except MlinfnError as error:
                failed.append(error)  # the other one shall hear of it all the same
                continue
            membership.note_applied(self._store, access_point, who)
            log.info("%s has read the projects of %d people", access_point, len(who))
        if failed:
            raise failed[0]

    def _complain_of(self, unknown: list[str]) -> None:
        """Once, until they are others."""
        if unknown and unknown != self._left_out:
            log.warning("accounts name projects that [membership] does not have, left out: %s", "; ".join(unknown))
        self._left_out = unknown

    def _make_home(self, name: str) -> None:
        if self._home_of is not None and not (home := self._home_of(name)).exists():
            home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def _revoke(self, user: str, until: datetime | None) -> None:
        """Once for each end of an account: afterwards nobody can make one for it."""
        if (user, until) in self._without_tokens:
            return
        for token in self._hub.tokens(user):
            self._hub.revoke(user, token)
        self._without_tokens.add((user, until))


def excluded(accounts: Accounts, in_use: Sequence[str], now: datetime) -> list[str]:
    """Who may hold nothing: people whose accounts admit them no more, and those `in_use` who have none."""
    shut = (name for name, account in accounts.items() if not account.admits(now))
    return sorted({*shut, *(user for user in in_use if user not in accounts)})
