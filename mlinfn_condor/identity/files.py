"""People of a site that has no identity provider, from a file of its own: TOML, one section each.

[people.dora]
projects = ["alpha", "beta"]    # the first is the default one
uid = 20017                     # only where files of his carry that number already
was = "dorothea"                # only where he had another name here
"""

from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from mlinfn_condor import settings_file
from mlinfn_condor.identity.people import Wish


class OnePerson(BaseModel):
    """Section `[people.NAME]`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    projects: tuple[str, ...] = Field(min_length=1)
    """Projects of the person, the first being the default one."""
    uid: int | None = None
    """Only where files of his carry a number already."""
    was: str | None = None
    """Only where he had another name here."""


class PeopleFile(BaseModel):
    """All of it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    people: dict[str, OnePerson] = Field(min_length=1)


def read(path: Path) -> list[Wish]:
    """Everybody whom the file names. Raises BadRequest with every mistake and its place."""
    told = settings_file.read(path, PeopleFile).people
    return [Wish(name, one.projects, uid=one.uid, was=one.was) for name, one in told.items()]


def source_of(path: Path) -> str:
    """What a file is called as a source; another file of that name in its place is the same source."""
    return f"file:{path.stem}"
