"""A workload: who submits what, and when. From CSV; every mistake is told at once, with its line and cure. Pure."""

import csv
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import pairwise

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import UserError
from mlinfn_condor.simulation.spans import seconds_in

BOOST, END = "boost", "end"
NEEDED = ("at", "class")
OPTIONAL = (
    "who", "project", "devices", "model", "cpus", "duration", "count", "checkpoint", "leave", "floor", "factor",
    "ceiling",
)  # fmt: skip
COLUMNS = (*NEEDED, *OPTIONAL)
CLASSES = (*(each.value for each in PriorityClass), BOOST, END)
NEVER = "never"
LEAVE_SECONDS = 10.0
MOST_JOBS = 5000
"""Of a whole workload: more is a slip of the pen, or hours on two cores."""
MOST_AT_ONCE = 1000
ROLES = ("admin", "hub", "glidein")
_NAME = re.compile(r"[a-z][a-z0-9_-]{0,31}")
_MODEL = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


class WorkloadWrong(UserError):
    """The file has mistakes; the message has a line for each."""

    page = "docs/sharing.md#try-a-policy-before-making-it"


@dataclass(frozen=True)
class Submit:
    """Jobs of one moment that are alike. Times are simulated seconds."""

    line: int
    at: float
    who: str
    project: str
    priority_class: PriorityClass
    devices: int
    model: str
    """Empty: any."""
    cpus: int
    duration: float
    count: int
    checkpoint: float
    """How often it saves its work by itself; 0: only when it is asked to leave."""
    leave: float | None
    """How long it takes to save its work when it is asked to leave; None: it does not."""


@dataclass(frozen=True)
class Boost:
    """More for a project for a while: `mlinfn boost`. Devices, and a priority factor; None: not given."""

    line: int
    at: float
    project: str
    duration: float
    floor: float | None
    factor: float | None
    ceiling: float | None


@dataclass(frozen=True)
class Workload:
    """All of it, in the order of time."""

    name: str
    submits: tuple[Submit, ...]
    boosts: tuple[Boost, ...] = ()
    end: float | None = None
    """What still waits or runs then is left so; None: it is over when all jobs are."""

    @property
    def jobs(self) -> int:
        """How many there are."""
        return sum(submit.count for submit in self.submits)

    @property
    def rows(self) -> "list[Submit | Boost]":
        """Submits and boosts in the order in which they are due."""
        rows: list[Submit | Boost] = [*self.submits, *self.boosts]
        return sorted(rows, key=lambda row: (row.at, row.line))

    @property
    def projects(self) -> tuple[str, ...]:
        """Whose they are, sorted."""
        return tuple(sorted({submit.project for submit in self.submits}))

    @property
    def people(self) -> dict[str, tuple[str, ...]]:
        """Projects of each person, in the order in which they come."""
        found: dict[str, tuple[str, ...]] = {}
        for submit in self.submits:
            known = found.get(submit.who, ())
            found[submit.who] = known if submit.project in known else (*known, submit.project)
        return found

    @property
    def span(self) -> float:
        """To its end, or to the last submit and the longest of all jobs after it, seconds."""
        return self.end or max(submit.at for submit in self.submits) + max(submit.duration for submit in self.submits)


def read(lines: Iterable[str], name: str) -> Workload:
    """The workload in a CSV file, opened with newline="". Raises WorkloadWrong with every mistake."""
    reader = csv.DictReader(lines, strict=True)
    mistakes: list[str] = []
    submits: list[Submit] = []
    boosts: list[Boost] = []
    ends: list[float] = []
    try:
        mistakes += _header(list(reader.fieldnames or ()))
        if not mistakes:
            for row in reader:
                wrong: list[str] = []
                _row(_Row(row, reader.line_num, wrong), submits, boosts, ends)
                mistakes += [f"line {reader.line_num}: {told}" for told in wrong]
    except csv.Error as error:
        mistakes.append(f"line {reader.line_num}: {error}: write it as CSV, with quotes closed")
    if not mistakes:
        mistakes += [*_whole(submits, ends), *_overlapping(boosts)]
    if mistakes:
        raise WorkloadWrong(f"{name}: nothing was simulated:\n" + "\n".join(mistakes))
    submits.sort(key=lambda submit: (submit.at, submit.line))
    boosts.sort(key=lambda boost: (boost.at, boost.line))
    return Workload(name, tuple(submits), tuple(boosts), ends[0] if ends else None)


def _header(names: list[str]) -> list[str]:
    told = [f"line 1: column {name!r} is missing: add it" for name in NEEDED if name not in names]
    known = ", ".join(COLUMNS)
    told += [f"line 1: column {name!r} is not known: use {known}" for name in names if name not in COLUMNS]
    twice = sorted({name for name in names if names.count(name) > 1})
    return told + [f"line 1: column {name!r} is there twice: keep one" for name in twice]


def _whole(submits: list[Submit], ends: list[float]) -> Iterator[str]:
    if not submits:
        yield "line 1: there is no job in it: add a row for each submit"
    if len(ends) > 1:
        yield f"line 1: there are {len(ends)} ends: keep one"
    if (jobs := sum(submit.count for submit in submits)) > MOST_JOBS:
        yield f"line 1: {jobs} jobs in all, and {MOST_JOBS} is the most: take fewer and longer ones"
    for submit in submits:
        if ends and submit.at >= ends[0]:
            yield f"line {submit.line}: it comes after the end of the workload: move one of them"


def _overlapping(boosts: list[Boost]) -> Iterator[str]:
    """HTCondor keeps one lease of a kind for a submitter."""
    ordered = sorted(boosts, key=lambda boost: (boost.project, boost.at))
    for first, second in pairwise(ordered):
        if first.project == second.project and second.at < first.at + first.duration:
            yield f"line {second.line}: {second.project} has the boost of line {first.line} then: let one end first"


class _Row:
    """One row; what is wrong with it is collected."""

    def __init__(self, row: dict[str, str | None], line: int, wrong: list[str]) -> None:
        self._row, self.line, self._wrong = row, line, wrong
        if None in row:
            wrong.append("it has more values than there are columns: quote those with a comma in them")

    def text(self, name: str) -> str:
        return (self._row.get(name) or "").strip()

    def say(self, mistake: str) -> None:
        self._wrong.append(mistake)

    def span(self, name: str, missing: float | None = None) -> float:
        if not self.text(name) and missing is not None:
            return missing
        try:
            return seconds_in(self.text(name))
        except ValueError as error:
            self.say(f"{name}: {error}")
            return 0.0

    def whole(self, name: str, missing: int, least: int, most: int) -> int:
        text = self.text(name)
        value = int(text) if text.isascii() and text.isdigit() else missing if not text else least - 1
        if not least <= value <= most:
            self.say(f"{name}: {text!r} is no whole number from {least} to {most}")
        return value

    def number(self, name: str) -> float | None:
        if not (text := self.text(name)):
            return None
        try:
            value = float(text)
        except ValueError:
            value = -1.0
        if not 0 <= value < 1e9:
            self.say(f"{name}: {text!r} is no number from 0 on")
        return value

    def matching(self, name: str, pattern: re.Pattern[str], cure: str) -> str:
        if not pattern.fullmatch(text := self.text(name)):
            self.say(f"{name}: {text!r}: {cure}")
        return text

    def empty(self, names: Iterable[str], of: str) -> None:
        for name in names:
            if self.text(name):
                self.say(f"{name}: {self.text(name)!r} says nothing for {of}: leave it empty")


def _row(row: _Row, submits: list[Submit], boosts: list[Boost], ends: list[float]) -> None:
    at, kind = row.span("at"), row.text("class")
    if kind == END:
        row.empty(OPTIONAL, "the end")
        ends.append(at)
    elif kind == BOOST:
        boosts.append(_boost(row, at))
    elif kind in CLASSES:
        submits.append(_submit(row, at, PriorityClass(kind)))
    else:
        row.say(f"class: {kind!r} is none: one of {', '.join(CLASSES)}")


def _boost(row: _Row, at: float) -> Boost:
    row.empty(("who", "devices", "model", "cpus", "count", "checkpoint", "leave"), "a boost")
    boost = Boost(
        row.line,
        at,
        row.matching("project", _NAME, "name the project that gets more"),
        _lasting(row),
        row.number("floor"),
        row.number("factor"),
        row.number("ceiling"),
    )
    if boost.floor is None and boost.factor is None and boost.ceiling is None:
        row.say("a boost gives nothing: say floor, factor or ceiling")
    if boost.factor is not None and 0 <= boost.factor < 1:
        row.say(f"factor: {boost.factor:g} is below 1: 1000 is usual, less is better, 1 is best")
    return boost


def _submit(row: _Row, at: float, priority_class: PriorityClass) -> Submit:
    row.empty(("floor", "factor", "ceiling"), "a job")
    who = row.matching("who", _NAME, "write a name in small letters, digits, - and _")
    if who in ROLES:
        row.say(f"who: {who} is a role of the pool: name a person")
    submit = Submit(
        row.line,
        at,
        who,
        row.matching("project", _NAME, "write the project's name, as in the contracts file"),
        priority_class,
        row.whole("devices", 1, 0, 16),
        row.text("model")
        and row.matching("model", _MODEL, "write a model as in the contracts file, or leave it empty"),
        row.whole("cpus", 1, 1, 256),
        _lasting(row),
        row.whole("count", 1, 1, MOST_AT_ONCE),
        row.span("checkpoint", 0.0),
        None if row.text("leave") == NEVER else row.span("leave", LEAVE_SECONDS),
    )
    if submit.model and not submit.devices:
        row.say(f"model: {submit.model} of no devices: say devices, or leave the model out")
    return submit


def _lasting(row: _Row) -> float:
    before = row.span("duration")
    if before == 0 and row.text("duration") == "0":
        row.say("duration: 0 is no time: write how long it lasts")
    return before
