"""What the stand-in payloads wrote down: the bench believes this, not what a daemon says."""

import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import Timeout
from mlinfn_condor.pool import JobId

LOOK_SECONDS = 0.05


@dataclass(frozen=True)
class Event:
    """One line of the journal."""

    job: str
    """`batch-12.0`: class and number, which name a job of one pool."""
    when: float
    """Seconds of the epoch."""
    what: str
    devices: tuple[str, ...]


@dataclass(frozen=True)
class Attempt:
    """One start of a job, until it ended; what did not happen (yet) is None."""

    job: str
    devices: tuple[str, ...]
    started: float
    computing: float | None = None
    asked: float | None = None
    ended: float | None = None
    finished: bool = False
    """It computed to its end in this attempt."""
    found_finished: bool = False
    """An earlier attempt had computed to the end, so this one had nothing to do."""
    met_another: bool = False
    """Another payload held the stand-in lock of one of its devices when it began to compute."""

    @property
    def priority_class(self) -> PriorityClass:
        """Class of the job."""
        return PriorityClass(self.job.partition("-")[0])

    @property
    def over(self) -> bool:
        """It left or finished by itself; one that was killed is never over."""
        return self.ended is not None


def name_of(job: JobId, priority_class: PriorityClass) -> str:
    """The job as the journal names it."""
    return f"{priority_class}-{job.local}"


def attempts(events: Iterable[Event]) -> list[Attempt]:
    """The attempts that the events tell of, each job's in order."""
    by_job: dict[str, list[Attempt]] = {}
    for event in events:
        of_job = by_job.setdefault(event.job, [])
        if event.what == "started":
            of_job.append(Attempt(event.job, event.devices, event.when))
        elif of_job:
            of_job[-1] = _after(of_job[-1], event)
    return [attempt for of_job in by_job.values() for attempt in of_job]


def _after(attempt: Attempt, event: Event) -> Attempt:
    match event.what:
        case "computing":
            return replace(attempt, computing=event.when)
        case "double-use":
            return replace(attempt, met_another=True)
        case "asked-to-leave":
            return replace(attempt, asked=event.when)
        case "left":
            return replace(attempt, ended=event.when)
        case "finished":
            return replace(attempt, ended=event.when, finished=True)
        case "found-finished":
            return replace(attempt, ended=event.when, found_finished=True)
        case unknown:
            raise ValueError(f"the payload wrote an event {unknown!r} that nobody knows")


class Journal:
    """The file that all payloads of a pool append to, read as it grows."""

    def __init__(self, path: Path) -> None:
        self._path, self._read, self._rest = path, 0, b""
        self.events: list[Event] = []
        """All that were read so far, in the order in which they were written."""

    def refresh(self) -> list[Event]:
        """Read on; the new events."""
        new = list(self._new())
        self.events += new
        return new

    def first(self, job: str, what: str) -> Event | None:
        """The first event of this name of this job, as far as was read."""
        return next((event for event in self.events if event.job == job and event.what == what), None)

    def wait_for(self, wanted: Iterable[str], what: str, seconds: float) -> dict[str, Event]:
        """The first such event of each of these jobs, without those to which it did not happen in time."""
        deadline = time.monotonic() + seconds
        missing: set[str] = set(wanted)
        found: dict[str, Event] = {}
        while missing and time.monotonic() < deadline:
            self.refresh()
            found |= {job: event for job in missing if (event := self.first(job, what))}
            missing -= found.keys()
            if missing:
                time.sleep(LOOK_SECONDS)
        return found

    def need(self, job: str, what: str, seconds: float) -> Event:
        """The first such event of this job. Raises Timeout."""
        found = self.wait_for([job], what, seconds)
        if job not in found:
            raise Timeout(f"{job} was not {what} within {seconds:g} s; the daemons' logs tell why")
        return found[job]

    def _new(self) -> Iterator[Event]:
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                fresh = file.read()
        except FileNotFoundError:
            return
        self._read += len(fresh)
        *lines, self._rest = (self._rest + fresh).split(b"\n")
        for line in lines:
            job, when, what, *devices = line.decode().split()
            yield Event(job, float(when), what, tuple(devices))
