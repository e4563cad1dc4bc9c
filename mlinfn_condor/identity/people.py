"""The register's words: a person, what a source says of him, and everybody at one moment. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

LOWEST = 1000
"""Below it numbers belong to the operating system."""
HUB = "hub"
"""Name of the source that the hub's accounts are. A file is the source `file:<its name>`."""


@dataclass(frozen=True)
class Wish:
    """What a source says of one person."""

    name: str
    projects: tuple[str, ...] = ()
    """The first is the default one."""
    subject: str | None = None
    """`issuer#sub` of the identity provider: his name may change, this cannot."""
    uid: int | None = None
    """The number that he has already, where files of his carry it."""
    was: str | None = None
    """The name that he had before, told by a source that has no subjects."""


@dataclass(frozen=True)
class Person:
    """Somebody who is or was here; his own group has his name and his number."""

    uid: int
    name: str
    joined: datetime
    subject: str | None = None
    standings: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Source → projects: who vouches for him, and with what."""
    left: datetime | None = None
    released: datetime | None = None
    """His data are gone and his name is free; the number stays his."""

    @property
    def projects(self) -> tuple[str, ...]:
        """Every project, each once; sources by name."""
        return tuple(dict.fromkeys(one for source in sorted(self.standings) for one in self.standings[source]))


@dataclass(frozen=True)
class Site:
    """What a site decides of its numbers."""

    first: int
    last: int
    """Numbers from `first` to `last` are given, to people and projects alike."""
    keep_days: int
    """How long data stay of somebody who has left (days)."""


@dataclass(frozen=True)
class People:
    """The register at one moment."""

    persons: tuple[Person, ...] = ()
    projects: Mapping[str, int] = field(default_factory=dict)
    """Project → number of its group."""
    former: Mapping[int, frozenset[str]] = field(default_factory=dict)
    """Number of a person → names that he had before."""
    site: Site | None = None

    @property
    def known(self) -> tuple[Person, ...]:
        """Those who are here, and those who left and whose data are: no name twice, no subject twice."""
        return tuple(person for person in self.persons if person.released is None)

    @property
    def here(self) -> tuple[Person, ...]:
        """Those for whom somebody vouches."""
        return tuple(person for person in self.persons if person.left is None)

    @property
    def leavers(self) -> tuple[Person, ...]:
        """Those who left and whose data may still be here."""
        return tuple(person for person in self.known if person.left is not None)

    @property
    def numbers(self) -> frozenset[int]:
        """Every number that was ever given."""
        return frozenset({person.uid for person in self.persons} | set(self.projects.values()))

    def deletable(self, person: Person) -> datetime | None:
        """From when on his data may be deleted; None while he is here."""
        if person.left is None or self.site is None:
            return None
        return person.left + timedelta(days=self.site.keep_days)


@dataclass(frozen=True)
class Changes:
    """Rows to write; nothing is ever taken away but a standing."""

    persons: tuple[Person, ...] = ()
    """New ones, and those that differ: each as it is from now on."""
    projects: Mapping[str, int] = field(default_factory=dict)
    """New ones."""
    former: Mapping[int, str] = field(default_factory=dict)
    """Number of a person → the name that he has no more."""
    site: Site | None = None
    refusals: tuple[str, ...] = ()
    """What could not be done, a sentence each; nothing of it is among the rows."""

    def __bool__(self) -> bool:
        return bool(self.persons or self.projects or self.former or self.site)


def changed(people: People, changes: Changes) -> People:
    """The register after these changes."""
    persons = {person.uid: person for person in people.persons} | {person.uid: person for person in changes.persons}
    former = dict(people.former)
    for uid, name in changes.former.items():
        former[uid] = former.get(uid, frozenset()) | {name}
    return People(
        tuple(persons[uid] for uid in sorted(persons)),
        {**people.projects, **changes.projects},
        former,
        changes.site or people.site,
    )
