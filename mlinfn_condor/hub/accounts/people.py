"""Accounts for the people of an embedded pool, with passwords that `mlinfn hub up` can print again.

For a demonstration on one's own machine only: the passwords stand there in plain text, in a file that only the pool's
owner can read, who could issue himself everybody's tokens anyway.
"""

import json
from collections.abc import Mapping, Sequence

from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.hub.accounts import passwords
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.store import Store


def ensure(store: Store, people: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """Accounts for `people` (name → projects) and the administrator; passwords of the new ones. Others stay as is.

    An account that was removed stays so: its password is kept, and says that there was one.
    """
    fresh = store.version() is None
    with store.change() as accounts:
        wanted = {name: Account(projects=tuple(projects)) for name, projects in people.items()}
        wanted[ADMINISTRATOR] = Account(admin=True)
        earlier = kept(store)
        made = {
            name: passwords.readable() for name in wanted if name not in accounts and (fresh or name not in earlier)
        }
        if made:  # first the passwords: one without an account is harmless, an account whose password is lost is not
            write_private(store.passwords, f"{json.dumps(earlier | made, indent=1)}\n".encode())
        for name, password in made.items():
            accounts[name] = wanted[name].model_copy(update={"password": passwords.hashed(password)})
    return made


def kept(store: Store) -> dict[str, str]:
    """Passwords that `ensure` made, by name."""
    try:
        return dict(json.loads(store.passwords.read_bytes()))
    except FileNotFoundError:
        return {}
