"""From what a source says to rows of the register: pure.

Whatever a source says, nobody's number changes, no number is given twice, nobody gets a name whose bearer's data are
still here, and who is refused keeps what he has.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity.names import IDENTITY, shown
from mlinfn_condor.identity.people import LOWEST, Changes, People, Person, Site, Wish
from mlinfn_condor.identity.systems import RESERVED

NO_RANGE = "this site has named no range of numbers yet: `mlinfn identity range 20000 59999` names one"
HIGHEST = 2**31 - 1


def declare(people: People, source: str, wishes: Sequence[Wish], now: datetime) -> Changes:
    """`wishes` are all people for whom this source vouches: whom it vouched for before and does not now leaves.

    Raises BadRequest when a number is needed and the site has no range.
    """
    draft = _Draft(people, now)
    # Numbers that are told come first, so that none of them is given to somebody else meanwhile; projects' last.
    ordered = sorted(wishes, key=lambda one: (one.uid is None, one.name))
    kept = {uid for wish in ordered for uid in draft.join(source, wish)}
    for project in dict.fromkeys(project for wish in ordered for project in sorted(wish.projects)):
        draft.have(project)
    for person in people.here:
        if source in person.standings and person.uid not in kept:
            draft.leave(source, draft.persons[person.uid])
    return draft.changes()


def release(people: People, name: str, now: datetime) -> Changes:
    """A leaver's data are gone: his name is free, his number is not. Raises BadRequest while it is too early."""
    person = next((one for one in people.known if one.name == name), None)
    if person is None:
        raise BadRequest(f"there is nobody called {shown(name)}: `mlinfn identity list` shows everybody")
    when = people.deletable(person)
    if when is None:
        raise BadRequest(f"{name} is here: a source vouches for him ({', '.join(sorted(person.standings))})")
    if now < when:
        raise BadRequest(f"the data of {name} stay until {when:%Y-%m-%d %H:%M} UTC; delete nothing before")
    return Changes(persons=(replace(person, released=now),))


def set_site(people: People, site: Site) -> Changes:
    """Another range or period. Numbers that were given stay, also outside of it. Raises BadRequest."""
    if site.first < LOWEST or site.last > HIGHEST or site.first > site.last:
        raise BadRequest(
            f"from {site.first} to {site.last}: numbers begin at {LOWEST} or later and end after they begin"
        )
    if site.keep_days < 0:
        raise BadRequest(f"--keep-days {site.keep_days}: 0 or more")
    return Changes(site=None if site == people.site else site)


@dataclass
class _Draft:
    """The register while it is changed."""

    people: People
    now: datetime
    persons: dict[int, Person] = field(init=False)
    projects: dict[str, int] = field(init=False)
    former: dict[int, str] = field(default_factory=dict)
    refusals: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.persons = {person.uid: person for person in self.people.persons}
        self.projects = dict(self.people.projects)

    def join(self, source: str, wish: Wish) -> Iterator[int]:
        """Let somebody in, or bring him up to date; yields his number, also where something was refused to him."""
        known = self._known(wish)
        if refusal := self._refusal(wish, known):
            self.refusals.append(refusal)
            if known is not None:
                yield known.uid
            return
        if known is None:
            uid = wish.uid or self._next()
            if uid is None:
                self.refusals.append(f"{wish.name}: every number of the site's range is given; name a wider one")
                return
            known = Person(uid, wish.name, self.now)
        if known.name != wish.name:
            self.former[known.uid] = known.name
        self.persons[known.uid] = replace(
            known,
            name=wish.name,
            subject=known.subject or wish.subject,
            standings={**known.standings, source: tuple(dict.fromkeys(wish.projects))},
            left=None,
        )
        yield known.uid

    def have(self, project: str) -> None:
        """Let there be a group of a project."""
        if project in self.projects:
            return
        bearers = {person.name for person in self.persons.values() if person.released is None}
        if not IDENTITY.fullmatch(project) or project in RESERVED or project in bearers:
            self.refusals.append(
                f"project {shown(project)}: it gets no group: an operating system, the pool or a person has that name, "
                "or it is none"
            )
            return
        gid = self._next()
        if gid is None:
            self.refusals.append(f"project {project}: every number of the site's range is given; name a wider one")
            return
        self.projects[project] = gid

    def leave(self, source: str, person: Person) -> None:
        """A source does not vouch for him any more; where it was the last, he has left."""
        rest = {name: projects for name, projects in person.standings.items() if name != source}
        self.persons[person.uid] = replace(person, standings=rest, left=None if rest else self.now)

    def changes(self) -> Changes:
        """What differs."""
        before = {person.uid: person for person in self.people.persons}
        return Changes(
            tuple(person for uid, person in sorted(self.persons.items()) if before.get(uid) != person),
            {name: gid for name, gid in self.projects.items() if name not in self.people.projects},
            dict(self.former),
            refusals=tuple(dict.fromkeys(self.refusals)),
        )

    def _known(self, wish: Wish) -> Person | None:
        """Who is meant: by subject, then by the name he had, then by name where it may be he."""
        there = [person for person in self.persons.values() if person.released is None]
        if wish.subject is not None:
            for person in there:
                if person.subject == wish.subject:
                    return person
        named = {person.name: person for person in there}
        if wish.was is not None and wish.was in named and wish.name not in named:
            return named[wish.was]
        found = named.get(wish.name)
        # Without a subject on one side it is the administrator's word that it is he.
        if found is None or wish.subject is None or found.subject is None:
            return found
        return None

    def _refusal(self, wish: Wish, known: Person | None) -> str | None:
        name = shown(wish.name)
        if not IDENTITY.fullmatch(wish.name):
            return f"{name}: no name of an account: small letters, digits, '_', '.', '-', 32 of them at most"
        if wish.name in RESERVED and (known is None or known.name != wish.name):
            return f"{name}: operating systems or the pool have that name; he needs another one"
        for other in self.persons.values():
            if other.released is not None or other is known:
                continue
            if other.name == wish.name:
                why = "is here" if other.left is None else "left, and his data are still here"
                return f"{name}: somebody else of that name ({other.uid}) {why}; he needs another one"
            if wish.name in self._former_names(other):
                return f"{name}: {other.name} ({other.uid}) had that name; he needs another one"
        if wish.name in self.projects:
            return f"{name}: a project has that name, and each person has a group of his own; he needs another one"
        return self._no_number(wish, known)

    def _no_number(self, wish: Wish, known: Person | None) -> str | None:
        if wish.uid is None or (known is not None and known.uid == wish.uid):
            return None
        if known is not None:
            return f"{wish.name}: his number is {known.uid} and stays it; it cannot become {wish.uid}"
        if not LOWEST <= wish.uid <= HIGHEST:
            return f"{wish.name}: {wish.uid} is no number of a person; they begin at {LOWEST}"
        if wish.uid in self._taken():
            return f"{wish.name}: {wish.uid} was given to somebody or something else, and is never given again"
        return None

    def _next(self) -> int | None:
        """The smallest number that nobody ever had; None when there is none left."""
        site = self.people.site
        if site is None:
            raise BadRequest(NO_RANGE)
        taken = self._taken()
        return next((number for number in range(site.first, site.last + 1) if number not in taken), None)

    def _taken(self) -> set[int]:
        return self.persons.keys() | set(self.projects.values())

    def _former_names(self, person: Person) -> frozenset[str]:
        until_now = self.former.get(person.uid)
        return self.people.former.get(person.uid, frozenset()) | ({until_now} if until_now else set())
