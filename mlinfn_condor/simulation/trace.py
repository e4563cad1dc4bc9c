"""What ran, from HTCondor's own event log of the access points (EVENT_LOG), written as JSON. Pure.

Each event is followed by one that repeats it with attributes of the job; only those are read, for the access points
count their jobs apart and the event itself does not say whose it is.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime

ATTRIBUTES = (
    "Owner", "Project", "PriorityClass", "AssignedGPUs", "AssignedFPGAs", "MlinfnRow", "HoldReason",
)  # fmt: skip
"""For EVENT_LOG_JOB_AD_INFORMATION_ATTRS."""
CONFIGURATION = f"""\
EVENT_LOG = $(LOG)/EventLog
EVENT_LOG_FORMAT_OPTIONS = JSON, SUB_SECOND
EVENT_LOG_MAX_SIZE = 0
EVENT_LOG_JOB_AD_INFORMATION_ATTRS = {", ".join(ATTRIBUTES)}
"""
COMPLETED, EVICTED, FAILED, REMOVED, RUNNING = "completed", "evicted", "failed", "removed", "running"
_ENDS = {
    "ULOG_JOB_TERMINATED": COMPLETED,
    "ULOG_JOB_EVICTED": EVICTED,
    "ULOG_SHADOW_EXCEPTION": FAILED,
    "ULOG_JOB_RECONNECT_FAILED": FAILED,
    "ULOG_JOB_ABORTED": REMOVED,
    "ULOG_JOB_HELD": FAILED,
}
_FINAL = frozenset({"ULOG_JOB_TERMINATED", "ULOG_JOB_ABORTED", "ULOG_JOB_HELD"})


@dataclass(frozen=True)
class Run:
    """One attempt of a job. Seconds of the epoch, or simulated seconds."""

    start: float
    end: float | None
    """None: it still runs."""
    devices: tuple[str, ...]
    outcome: str = RUNNING

    def until(self, horizon: float) -> float:
        """Its end, or the horizon for one that still ran then."""
        return horizon if self.end is None else min(self.end, horizon)


@dataclass(frozen=True)
class Job:
    """One job, as the events tell of it."""

    row: int
    """The workload's line that it is of."""
    proc: int
    submitted: float
    runs: tuple[Run, ...] = ()
    over: bool = False
    held: str = ""


@dataclass
class Trace:
    """Reads on as the log grows."""

    jobs: dict[tuple[str, int, int], Job] = field(default_factory=dict)
    """By access point, cluster and proc."""
    _rest: str = ""

    @property
    def over(self) -> int:
        """Jobs that have left for ever."""
        return sum(job.over for job in self.jobs.values())

    def take(self, text: str) -> None:
        """What was appended to the log."""
        self._rest += text
        for event in self._events():
            trigger = event.get("TriggerEventTypeName")
            if trigger is not None and "MlinfnRow" in event:
                self._happened(str(trigger), event)

    def _events(self) -> Iterator[dict[str, object]]:
        decoder, place = json.JSONDecoder(), 0
        while (begin := self._rest.find("{", place)) >= 0:
            try:
                event, place = decoder.raw_decode(self._rest, begin)
            except json.JSONDecodeError:  # its end is not written yet
                break
            yield event
        self._rest = self._rest[place:]

    def _happened(self, trigger: str, event: dict[str, object]) -> None:
        access_point = "interactive@" if event.get("PriorityClass") == "interactive" else "batch@"
        key = (access_point, _whole(event, "Cluster"), _whole(event, "Proc"))
        when = datetime.fromisoformat(str(event["EventTime"])).timestamp()
        if trigger == "ULOG_SUBMIT":
            self.jobs[key] = Job(_whole(event, "MlinfnRow"), key[2], when)
            return
        if (job := self.jobs.get(key)) is None:
            return
        if trigger == "ULOG_EXECUTE":
            job = replace(job, runs=(*_ended(job.runs, when, FAILED), Run(when, None, _devices(event))))
        elif trigger in _ENDS:
            job = replace(job, runs=_ended(job.runs, when, _ENDS[trigger]), over=job.over or trigger in _FINAL)
            if trigger == "ULOG_JOB_HELD":
                job = replace(job, held=str(event.get("HoldReason") or "put on hold"))
        self.jobs[key] = job


def _ended(runs: tuple[Run, ...], when: float, outcome: str) -> tuple[Run, ...]:
    if not runs or runs[-1].end is not None:
        return runs
    return (*runs[:-1], replace(runs[-1], end=when, outcome=outcome))


def _devices(event: dict[str, object]) -> tuple[str, ...]:
    names = ",".join(str(event.get(name) or "") for name in ("AssignedGPUs", "AssignedFPGAs"))
    return tuple(name.strip() for name in names.split(",") if name.strip())


def _whole(event: dict[str, object], name: str) -> int:
    value = event.get(name)
    return value if isinstance(value, int) else 0
