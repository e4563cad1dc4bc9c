"""The register as `passwd` and `group`, for pods and nodes: pure text, and files that are whole or as before.

They go where libnss-extrausers reads them (`/var/lib/extrausers`, with `passwd: files extrausers` and `group: files
extrausers` in nsswitch.conf), or on top of an image's own two files. No password is in them, and nothing secret.
"""

import os
from collections.abc import Callable
from pathlib import Path

from mlinfn_condor.identity.people import People, Person

SHELL, NO_SHELL = "/bin/bash", "/usr/sbin/nologin"


def passwd(people: People, home: Callable[[str], object]) -> str:
    """Lines of `passwd` by number. Who left is still in it, so that his files have an owner, without a shell."""
    return "".join(
        f"{one.name}:x:{one.uid}:{one.uid}::{home(one.name)}:{NO_SHELL if one.left else SHELL}\n"
        for one in sorted(people.known, key=_number)
    )


def group(people: People) -> str:
    """Lines of `group` by number: each person's own, and each project's with its members. Leavers are in none."""
    own = {one.uid: f"{one.name}:x:{one.uid}:\n" for one in people.known}
    projects = {gid: f"{name}:x:{gid}:{','.join(members(people, name))}\n" for name, gid in people.projects.items()}
    lines = own | projects
    return "".join(lines[number] for number in sorted(lines))


def members(people: People, project: str) -> list[str]:
    """Names of those who are in a project now, sorted."""
    return sorted(one.name for one in people.here if project in one.projects)


def files(people: People, home: Callable[[str], object]) -> dict[str, str]:
    """Text of each file by its name."""
    return {"passwd": passwd(people, home), "group": group(people)}


def write(folder: Path, texts: dict[str, str]) -> list[str]:
    """Put the files into a folder that pods mount, everybody may read them; names of those that changed."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for name, text in texts.items():
        path = folder / name
        if path.is_file() and path.read_text() == text:
            continue
        temporary = folder / f".{name}.{os.getpid()}"
        temporary.write_text(text)
        temporary.chmod(0o644)
        temporary.replace(path)
        written.append(name)
    return written


def _number(person: Person) -> int:
    return person.uid
