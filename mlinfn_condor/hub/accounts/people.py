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

    An account that was removed stays so (`forget`), unless there is no file of accounts at all.
    """
    with store.change() as accounts:
        earlier = {} if store.version() is None else _read(store)
        removed = {name for name, password in earlier.items() if password is None}
        wanted = {name: Account(projects=tuple(projects)) for name, projects in people.items()}
        wanted[ADMINISTRATOR] = Account(admin=True)
        made = {name: passwords.readable() for name in wanted if name not in accounts and name not in removed}
        if made:  # first the passwords: one without an account is harmless, an account whose password is lost is not
            _write(store, earlier | made)
        for name, password in made.items():
            accounts[name] = wanted[name].model_copy(update={"password": passwords.hashed(password)})
    return made


def kept(store: Store) -> dict[str, str]:
    """Passwords that `ensure` made, by name; not those of accounts that were removed."""
    return {name: password for name, password in _read(store).items() if password is not None}


def forget(store: Store, name: str) -> None:
    """Drop the password of an account that is removed, and note that there was one."""
    told = _read(store)
    if told.get(name) is not None:
        _write(store, told | {name: None})


def _read(store: Store) -> dict[str, str | None]:
    """By name; None: the account was removed."""
    try:
        return dict(json.loads(store.passwords.read_bytes()))
    except FileNotFoundError:
        return {}


def _write(store: Store, told: Mapping[str, str | None]) -> None:
    write_private(store.passwords, f"{json.dumps(told, indent=1)}\n".encode())
