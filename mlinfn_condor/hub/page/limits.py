"""How much a person may have in sessions at once: a site's numbers, and the decision.

The pool's access point bounds sessions too (00-state-the-numbers.conf); here a person hears of it before, with a cure.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from pydantic import BaseModel, ConfigDict, Field

from mlinfn_condor.hub.page.choice import Choice
from mlinfn_condor.submission.phrases import listed, plural

DEFAULT_SERVER = "your default session"


@dataclass(frozen=True)
class Held:
    """A session that somebody has, or that is on its way."""

    user: str
    project: str
    server: str
    """Its name in the hub; empty: the default one."""
    devices: int

    @property
    def name(self) -> str:
        """How it stands in a sentence to its user."""
        return f'"{self.server}"' if self.server else DEFAULT_SERVER


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Person(_Section):
    """What somebody may have in place of the default; what is not named stays the default."""

    sessions: int | None = Field(default=None, ge=0)
    """Sessions at once."""
    devices: int | None = Field(default=None, ge=0)
    """Devices at once, in all sessions together."""
    session_hours: float | None = Field(default=None, gt=0)
    """Hours after which a session of this person ends."""


class Project(_Section):
    """What sessions of a project may have; each number is a further bound, none widens another."""

    sessions: int | None = Field(default=None, ge=0)
    """Sessions of all members together."""
    devices: int | None = Field(default=None, ge=0)
    """Devices of all members together."""
    sessions_per_person: int | None = Field(default=None, ge=0)
    """Sessions of each member on this project."""
    devices_per_person: int | None = Field(default=None, ge=0)
    """Devices of each member on this project."""
    session_hours: float | None = Field(default=None, gt=0)
    """Hours after which a session of this project ends."""


class Limits(_Section):
    """`[limits]` of the hub's settings. Where a number is left out, there is no limit."""

    sessions_per_person: int = Field(default=3, ge=0)
    """Sessions at once; more than MLINFN_SESSIONS_PER_USER the access point refuses anyway."""
    devices_per_person: int | None = Field(default=2, ge=0)
    """Devices at once, in all sessions of a person: each is kept from others while nobody looks at it."""
    session_hours: float | None = Field(default=None, gt=0)
    """Hours after which a session ends, idle or not."""
    cpus_per_session: int = Field(default=32, ge=1)
    """As MLINFN_SESSION_MAX_CPUS."""
    memory_mb_per_session: int = Field(default=256_000, ge=1)
    """As MLINFN_SESSION_MAX_MEMORY_MB."""
    devices_per_session: int = Field(default=2, ge=0)
    """As MLINFN_SESSION_MAX_DEVICES."""
    people: dict[str, Person] = {}
    """By user name."""
    projects: dict[str, Project] = {}
    """By project name."""


@dataclass(frozen=True)
class _Bound:
    """Numbers that sessions may not pass together, and the sessions that count towards them."""

    whose: str
    counted: tuple[Held, ...]
    sessions: int | None
    devices: int | None


def refusal(choice: Choice, user: str, project: str, held: Sequence[Held], limits: Limits) -> str | None:
    """Why the user may not start this session now, and what to do; None: he may.

    `held` is everybody's, without the session that is asked for. `project` is the one it will be accounted on.
    """
    if too_large := _too_large(choice, limits):
        return too_large
    for bound in _bounds(user, project, held, limits):
        in_use = sum(one.devices for one in bound.counted)
        mine = [one for one in bound.counted if one.user == user]
        if bound.sessions is not None and len(bound.counted) >= bound.sessions:
            told = _told(bound, plural(bound.sessions, "session"), len(bound.counted))
            return f"{told} {_cure(mine, 'Wait until another member ends one, or choose another project.')}"
        if bound.devices is not None and choice.devices.count and in_use + choice.devices.count > bound.devices:
            told = _told(bound, plural(bound.devices, "device"), in_use)
            return f"{told} {_cure([one for one in mine if one.devices], 'Ask for fewer devices, or for none.')}"
    return None


def hours(user: str, project: str, limits: Limits) -> float | None:
    """Hours after which a session ends; None: it may stay. The strictest of person and project."""
    own = _person(user, limits).session_hours or limits.session_hours
    of_project = limits.projects.get(project, Project()).session_hours
    return min((value for value in (own, of_project) if value is not None), default=None)


def allowance(user: str, held: Iterable[Held], limits: Limits) -> str:
    """`You have 1 of 3 sessions and 0 of 2 devices.`"""
    mine = [one for one in held if one.user == user]
    sessions, devices = _of_person(user, limits)
    parts = [f"{len(mine)} of {plural(sessions, 'session')}"]
    if devices is not None:
        parts.append(f"{sum(one.devices for one in mine)} of {plural(devices, 'device')}")
    return f"You have {listed(parts)}."


def _person(user: str, limits: Limits) -> Person:
    return limits.people.get(user, Person())


def _of_person(user: str, limits: Limits) -> tuple[int, int | None]:
    own = _person(user, limits)
    sessions = limits.sessions_per_person if own.sessions is None else own.sessions
    return sessions, limits.devices_per_person if own.devices is None else own.devices


def _bounds(user: str, project: str, held: Sequence[Held], limits: Limits) -> tuple[_Bound, ...]:
    of_project = limits.projects.get(project, Project())
    mine = tuple(one for one in held if one.user == user)
    theirs = tuple(one for one in held if one.project == project)
    both = tuple(one for one in mine if one.project == project)
    per_person = of_project.sessions_per_person, of_project.devices_per_person
    return (
        _Bound("you may have", mine, *_of_person(user, limits)),
        _Bound(f"you may have on project {project}", both, *per_person),
        _Bound(f"all members of project {project} may have", theirs, of_project.sessions, of_project.devices),
    )


def _too_large(choice: Choice, limits: Limits) -> str | None:
    asked = (
        (choice.devices.count, limits.devices_per_session, "devices"),
        (choice.cpus, limits.cpus_per_session, "cores"),
        (choice.memory_mb, limits.memory_mb_per_session, "MB of memory"),
    )
    parts = [f"{most} {what} (you ask for {number})" for number, most, what in asked if number > most]
    if not parts:
        return None
    return f"A session has at most {listed(parts)}: ask for less, and run what is larger as dask or batch."


def _told(bound: _Bound, most: str, in_use: int) -> str:
    return f"The most that {bound.whose} at once is {most}, and {in_use} {'is' if in_use == 1 else 'are'} in use."


def _cure(mine: Sequence[Held], otherwise: str) -> str:
    return f"Stop one of yours first: {listed((one.name for one in mine), 'or')}." if mine else otherwise
