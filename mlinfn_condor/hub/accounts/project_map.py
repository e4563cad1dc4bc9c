"""Who belongs to which project, as the pool's access points read it (MLINFN_PROJECT_MAP).

The map follows the accounts: here is decided what it says. The accounts service has the access points read it.
"""

import os
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts.account import Accounts
from mlinfn_condor.identity.names import shown

Members = Mapping[str, tuple[str, ...]]


def together(first: Members, then: Members) -> Members:
    """Projects of both, those of `first` first."""
    return {name: tuple(dict.fromkeys((*first.get(name, ()), *then.get(name, ())))) for name in {**first, **then}}


def members(base: Members, accounts: Accounts, at: datetime) -> Members:
    """Each person's projects: the site's own people first, in their order, then the others by name.

    Whoever has an account that has ended belongs nowhere, in the base or not.
    """
    found = dict(base)
    for name in sorted(accounts):
        found[name] = tuple(dict.fromkeys((*found.get(name, ()), *accounts[name].member_of)))
    return {
        name: projects
        for name, projects in found.items()
        if projects and not (name in accounts and accounts[name].ended(at))
    }


def known(who: Members, projects: Sequence[str]) -> Members:
    """`who`, without projects that the pool does not have and people who have no other."""
    there = {name: tuple(one for one in theirs if one in projects) for name, theirs in who.items()}
    return {name: theirs for name, theirs in there.items() if theirs}


def unknown(who: Members, projects: Sequence[str]) -> list[str]:
    """Projects that the pool does not have, and whose they are said to be: `'gamma' (dora, erin)`."""
    whose: dict[str, list[str]] = {}
    for name, theirs in who.items():
        for one in theirs:
            if one not in projects:
                whose.setdefault(shown(one), []).append(name)
    return [f"{one} ({', '.join(whose[one])})" for one in sorted(whose)]


def render(who: Members) -> str:
    """Lines of the map, as HTCondor's ClassAd user maps want them."""
    return "".join(f"* {name} {','.join(projects)}\n" for name, projects in who.items())


def says(path: Path, text: str) -> bool:
    """Whether the map is this already."""
    try:
        return path.read_text() == text
    except FileNotFoundError:
        return False


def write(path: Path, text: str, mode: int = 0o644, group: int | None = None) -> None:
    """Put the map there, whole or not at all, and nobody reads it meanwhile who may not.

    A schedd does not read again a map whose time is, to the second, the one that it knows (classad_usermap.cpp): each
    version gets a later one.
    """
    try:
        last = int(path.stat().st_mtime)
    except FileNotFoundError:
        last = 0
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    temporary.unlink(missing_ok=True)
    temporary.touch(mode=0o600)
    temporary.write_text(text)
    if group is not None:
        os.chown(temporary, -1, group)
    temporary.chmod(mode)
    moment = max(int(time.time()), last + 1)
    os.utime(temporary, (moment, moment))
    temporary.replace(path)


def check_projects(projects: Sequence[str], known: Sequence[str]) -> None:
    """Raises BadRequest for projects that the pool does not have: nobody could be charged."""
    if unknown := [project for project in projects if project not in known]:
        raise BadRequest(
            f"The pool has no project {', '.join(unknown)}: choose from {', '.join(sorted(known))}, "
            "or add it to the pool's GROUP_NAMES and to [membership] of the hub's settings first"
        )
