"""What is wrong with the register, and with it on a machine or in an image: pure."""

from collections.abc import Mapping

from mlinfn_condor.identity.people import People
from mlinfn_condor.identity.systems import RESERVED, System

FEW = 0.1
"""Part of the range below which what is left of it is told."""


def findings(people: People, system: System | None = None) -> list[str]:
    """A sentence for each thing that somebody has to see to; `system`: where the rendered files are to be mounted."""
    found = [*_reserved(people), *_without_group(people), *_range(people)]
    return found if system is None else found + _clashes(people, system)


def _reserved(people: People) -> list[str]:
    named = [(one.name, f"person {one.name}") for one in people.known] + [
        (name, f"project {name}") for name in people.projects
    ]
    return [
        f"{what}: operating systems or the pool have that name; rename it" for name, what in named if name in RESERVED
    ]


def _without_group(people: People) -> list[str]:
    there = {project for one in people.here for project in one.projects}
    return [
        f"project {name}: it has no group; its name cannot be one's" for name in sorted(there - people.projects.keys())
    ]


def _range(people: People) -> list[str]:
    if people.site is None:
        return ["the site has named no range of numbers: `mlinfn identity range 20000 59999`"]
    size = people.site.last - people.site.first + 1
    left = size - sum(people.site.first <= number <= people.site.last for number in people.numbers)
    if left >= size * FEW:
        return []
    return [f"{left} numbers are left of {people.site.first} to {people.site.last}: `mlinfn identity range` names more"]


def _clashes(people: People, system: System) -> list[str]:
    """Another account of one of our names or numbers there. The same of both is ours, mounted already."""
    users = {one.name: one.uid for one in people.known}
    return [*_clash("account", users, system.users), *_clash("group", users | dict(people.projects), system.groups)]


def _clash(kind: str, ours: Mapping[str, int], theirs: Mapping[str, int]) -> list[str]:
    by_number = {number: name for name, number in theirs.items()}
    told = []
    for name, number in sorted(ours.items()):
        if name in theirs and theirs[name] != number:
            told.append(
                f"{name} ({number}): there is {'an' if kind == 'account' else 'a'} {kind} {name} ({theirs[name]}) there"
            )
        if number in by_number and by_number[number] != name:
            told.append(f"{name} ({number}): that number is {kind} {by_number[number]}'s there")
    return told
