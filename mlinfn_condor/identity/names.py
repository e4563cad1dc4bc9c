"""Which names of people become identities of the pool. A hub's user name *is* the Owner of his jobs, so it is checked
once, here, before anything is signed or written for it."""

import re

from mlinfn_condor.errors import BadRequest

IDENTITY = re.compile(r"[a-z_][a-z0-9_.-]{0,31}")
ROLES = frozenset({"root", "nobody", "condor", "condor_pool", "admin", "hub", "glidein", "schedules", "reader"})
"""Names that the pool's policy and a rendered site give to roles (11 and 13 in condor_config.d): a person of that name
would have their rights, and when he left their tokens would be void. `admin` may have a local account on a hub, but
never gets a user's token."""
_SHOWN = 40


def identity(name: object, roles: frozenset[str] = ROLES) -> str:
    """`name` as it is, when a person may have it. Raises BadRequest with a sentence for that person.

    Nothing is repaired: two names that became one after a repair would be one person to the pool.
    """
    if not isinstance(name, str) or not IDENTITY.fullmatch(name):
        raise BadRequest(
            f"The name {shown(name)} cannot be used on this pool: it needs 1 to 32 small letters, digits, '_', '.' or "
            "'-', and a letter or '_' in front. Ask the administrators for an account under such a name."
        )
    if name in roles:
        raise BadRequest(
            f"The name {shown(name)} is a role of this pool, not a person's: ask the administrators for another one."
        )
    return name


def shown(name: object) -> str:
    """A name somebody sent, harmless on a page, in a log and on a terminal."""
    text = ascii(name)
    return text if len(text) <= _SHOWN else f"{text[:_SHOWN]}…"
