"""The hub's accounts in the site's register of people: each gets a number, and pods hear of him.

The register is asked at each round and each change. While it does not answer, membership is what it last said, and who
leaves by the accounts leaves all the same: nothing that takes rights away waits for it.
"""

import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.hub.accounts.project_map import Members
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.identity import rendering
from mlinfn_condor.identity.deciding import declare
from mlinfn_condor.identity.names import ROLES
from mlinfn_condor.identity.people import HUB, People, Wish
from mlinfn_condor.identity.register import Register

log = logging.getLogger("accounts")


@dataclass(frozen=True)
class Elsewhere:
    """What other sources than the hub's accounts say."""

    members: Members = field(default_factory=dict)
    """People for whom they vouch, and their projects."""
    left: dict[str, int] = field(default_factory=dict)
    """Who left, whoever vouched for him: name → second of the epoch."""


class Enrolment:
    """Brings the register, and the files that pods mount, to what the accounts say."""

    def __init__(
        self,
        store: Store,
        register: Register,
        folder: Path | None = None,
        home: Callable[[str], object] = "/home/{}".format,
    ) -> None:
        """`folder`: where passwd and group go that pods mount; None: nowhere."""
        self._store, self._register, self._folder, self._home = store, register, folder, home
        self._refused: tuple[str, ...] = ()
        self.elsewhere = Elsewhere()

    def enrol(self, now: datetime) -> None:
        """Raises StoreError, OSError; then everything is as before, and tried again."""
        if self._store.version() is None:
            return  # a file that is missing is not everybody's end
        wishes = wished(self._store.read(), now)
        people, changes = self._register.change(lambda before: declare(before, HUB, wishes, now))
        if changes.refusals and changes.refusals != self._refused:
            log.warning("people without a number of this site: %s", "; ".join(changes.refusals))
        self._refused = changes.refusals
        self.elsewhere = said_elsewhere(people)
        if self._folder is not None and (written := rendering.write(self._folder, rendering.files(people, self._home))):
            log.info("%s: %s of %d people", self._folder, " and ".join(written), len(people.known))


def wished(accounts: Accounts, now: datetime) -> list[Wish]:
    """For whom the hub vouches: everybody whom his account admits, but roles."""
    return [
        Wish(name, account.member_of, account.sign_in.subject if account.sign_in else None)
        for name, account in accounts.items()
        if account.admits(now) and name not in ROLES
    ]


def said_elsewhere(people: People) -> Elsewhere:
    """What there is beside the accounts' own word."""
    members = {
        one.name: tuple(dict.fromkeys(p for source in sorted(others) for p in others[source]))
        for one in people.here
        if (others := {source: projects for source, projects in one.standings.items() if source != HUB})
    }
    return Elsewhere(members, {one.name: int(one.left.timestamp()) for one in people.leavers if one.left is not None})
