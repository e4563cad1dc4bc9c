"""Which membership the access points have read already: a note of the accounts service to the hub.

A person who signs in for the first time would be refused by an access point that has not heard of him yet. The note
tells what the accounts said then, with the projects that the map leaves out because the pool does not have them: those
are nothing to wait for.
"""

import asyncio
import time

from pydantic import TypeAdapter, ValidationError

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.accounts.account import Account, now
from mlinfn_condor.hub.accounts.project_map import Members
from mlinfn_condor.hub.accounts.store import Store

SETTLED_SECONDS = 15
"""How long a new person's first session waits for his membership; usually it is under a second."""
_LOOK_SECONDS = 0.1
_NOTE = TypeAdapter(dict[str, dict[str, tuple[str, ...]]])


def applied(store: Store, access_point: str) -> Members:
    """The membership that an access point has read, as far as we know."""
    return _read(store).get(access_point, {})


def forget_applied(store: Store) -> None:
    """Nothing is known any more: the map is about to change."""
    store.applied.unlink(missing_ok=True)


def note_applied(store: Store, access_point: str, who: Members) -> None:
    """Tell the hub which membership an access point has read."""
    write_private(store.applied, _NOTE.dump_json(_read(store) | {access_point: dict(who)}))


def is_settled(store: Store, user: str, access_point: str = PriorityClass.INTERACTIVE.access_point) -> bool:
    """Whether the access point has read what the accounts say about `user`."""
    try:
        account = store.read().get(user, Account())
    except UserError:
        return False
    wanted = () if account.ended(now()) else account.member_of
    return set(wanted) <= set(applied(store, access_point).get(user, ()))


async def settled(store: Store, user: str, seconds: float = SETTLED_SECONDS) -> bool:
    """Wait until `user` belongs where he should, as the access point of sessions sees it; False when time is up."""
    deadline = time.monotonic() + seconds
    while not is_settled(store, user):
        if time.monotonic() > deadline:
            return False
        await asyncio.sleep(_LOOK_SECONDS)
    return True


def _read(store: Store) -> dict[str, dict[str, tuple[str, ...]]]:
    try:
        return _NOTE.validate_json(store.applied.read_bytes())
    except (OSError, ValidationError):
        return {}
