"""Keeps hub and pool in step with the accounts: ends what ended accounts hold, tells the pool who belongs where."""

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Protocol

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.accounts import membership, project_map
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.enrolment import Elsewhere, Enrolment
from mlinfn_condor.hub.accounts.leavers import Leavers
from mlinfn_condor.hub.accounts.revocation import Revocation, void
from mlinfn_condor.hub.accounts.seals import Seals
from mlinfn_condor.hub.accounts.store import Store, Version
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

    def users(self) -> Mapping[str, Sequence[str]]:
        """Everybody whom the hub remembers, and his servers, those that start or stop just now among them."""

    def forget(self, user: str) -> None:
        """Make the hub forget a user: cookies and tokens of his open nothing any more, whoever has his name later."""


LOOK_SECONDS = 300
"""Between two looks at the hub's users while no account changes: a listing of them is the hub's dearest answer."""


@dataclass(frozen=True)
class Looked:
    """A look at the hub after which nothing was left to do."""

    version: Version
    shut: frozenset[str]
    """Accounts that were over."""
    when: datetime

    def suffices(self, version: Version, shut: frozenset[str], now: datetime) -> bool:
        """Whether nothing can have changed since: who is over can start nothing."""
        recent = timedelta(0) <= now - self.when < timedelta(seconds=LOOK_SECONDS)
        return recent and (self.version, self.shut) == (version, shut)


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
        leavers_map: Path | None = None,
        enrolment: Enrolment | None = None,
        seals: Seals | None = None,
    ) -> None:
        """`projects`: the pool's. `base`: people without an account. `home_of`: where homes are made; None: nowhere.

        `leavers_map`: the pool's, of those whose tokens are void. `enrolment`: the site's register, if it has one.
        `seals`: the pool's list of people's tokens; None: it has none.
        """
        self._leavers = Leavers(store, pool, base)
        self._store, self._hub, self._pool, self._map_file = store, hub, pool, map_file
        self._projects = projects
        self._base: Mapping[str, tuple[str, ...]] = base or {}
        self._home_of = home_of
        self._enrolment = enrolment
        self._seals = seals
        self._revocation = Revocation(leavers_map or map_file.with_name("leavers.map"), pool)
        self._without_tokens: set[tuple[str, datetime | None]] = set()
        self._left_out: list[str] = []
        self._looked: Looked | None = None

    def enrol(self, now: datetime) -> None:
        """Numbers for people, and what pods mount. Raises MlinfnError, OSError."""
        if self._enrolment is not None:
            self._enrolment.enrol(now)

    def revoke_tokens(self, now: datetime) -> None:
        """Make the pool's tokens of leavers void. Raises MlinfnError when a daemon has not heard of it."""
        if self._store.version() is None:
            return  # a file that is missing is not everybody's end
        accounts, here = self._store.read(), self._base.keys() | self._elsewhere.members.keys()
        gone = {name: when for name, when in self._store.removed().items() if name not in here}
        for name, when in self._elsewhere.left.items():
            if name not in here and not (name in accounts and accounts[name].admits(now)):
                gone[name] = max(when, gone.get(name, 0))
        self._revocation.tell(void(accounts, gone, now), self._seals.text if self._seals else "")

    def tell_the_pool(self, now: datetime) -> None:
        """Homes, the map of projects, and access points that have read it. Raises MlinfnError when one has not."""
        base = project_map.together(self._base, self._elsewhere.members)
        who = project_map.members(base, self._store.read(), now)
        for name in who:
            self._make_home(name)
        self._complain_of(project_map.unknown(who, self._projects))
        if self._seals is not None and self._seals.list(project_map.known(who, self._projects)):
            membership.forget_applied(self._store)
        text = project_map.render(project_map.known(who, self._projects))
        if not project_map.says(self._map_file, text):
            membership.forget_applied(self._store)  # first: killed between the two, we would take the old for the new
            project_map.write(self._map_file, text)
        self._have_it_read(who)

    def end_what_is_over(self, now: datetime) -> None:
        """Stop sessions and revoke tokens of people whose accounts are over; forget those whose are gone.

        The hub is asked when there may be something to do, and now and then. Raises MlinfnError.
        """
        version = self._store.version()
        if version is None:
            return  # no accounts at all is a file that is missing, not everybody's end
        shut = frozenset(excluded(self._store.read(), (), now))
        if self._looked is not None and self._looked.suffices(version, shut, now):
            return
        self._looked = None
        users = self._hub.users()
        # Accounts last: who signs in for the first time has one before the hub knows him.
        accounts = self._store.read()
        over = excluded(accounts, list(users), now)
        holding = {user for user in over if users.get(user)}
        for session in self._hub.sessions() if holding else ():
            if session.user in over:
                log.info("stop %s of %s: his account is over", session.server or "the server", session.user)
                self._hub.stop(session)
        self._without_tokens = {(user, until) for user, until in self._without_tokens if user in over}
        for user in over:
            self._revoke(user, accounts[user].until if user in accounts else None)
        for user in users.keys() - accounts.keys() - holding:
            log.info("forget %s: he has no account any more", user)
            self._leavers.add(user)
            self._hub.forget(user)
        if not holding:
            self._looked = Looked(version, shut, now)

    def remove_jobs(self, now: datetime) -> None:
        """Take jobs of accounts that are over out of the queues. Raises MlinfnError."""
        for name in self._elsewhere.left.keys() | self._store.removed().keys():
            self._leavers.add(name)
        self._leavers.remove_jobs(now, self._elsewhere.members.keys())

    @property
    def _elsewhere(self) -> Elsewhere:
        return self._enrolment.elsewhere if self._enrolment is not None else Elsewhere()

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
