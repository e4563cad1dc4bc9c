"""A pool in memory: the same submit language and ClassAd engine, no daemons, and no scheduler of its own.

What a negotiator and startds would do is done by the test that holds the twin: `start`, `evict`, `hold`, `finish`.
Nothing happens by itself, so `wait_for` knows at once whether it waits in vain.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count
from typing import Any

from mlinfn_condor.errors import JobEnded, JobHeld, JobNotFound, JobRefused, PoolUnavailable, Timeout
from mlinfn_condor.pool.addable import Addable
from mlinfn_condor.pool.ads import Ad, AdValue, text
from mlinfn_condor.pool.bindings import classad2, htcondor2, plain, satisfies
from mlinfn_condor.pool.events import Happening
from mlinfn_condor.pool.jobs import JOB_STATE, Job, JobId, JobState
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.protocol import ACCESS_POINTS, find_job
from mlinfn_condor.pool.slots import Slot
from mlinfn_condor.pool.submitters import Submitter

COMMANDS = {
    "arguments": "Arguments",
    "container_image": "ContainerImage",
    "error": "Err",
    "executable": "Cmd",
    "initialdir": "Iwd",
    "job_max_vacate_time": "JobMaxVacateTime",
    "log": "UserLog",
    "output": "Out",
    "priority": "JobPrio",
    "request_cpus": "RequestCpus",
    "request_disk": "RequestDisk",
    "request_fpgas": "RequestFPGAs",
    "request_gpus": "RequestGPUs",
    "request_memory": "RequestMemory",
    "require_gpus": "RequireGPUs",
}
"""Submit commands that leave a trace in the twin's ads; the others are read and forgotten."""

STRINGS = frozenset({"arguments", "container_image", "error", "executable", "initialdir", "log", "output"})
KIB = {"KB": 1, "MB": 1024, "GB": 1024**2, "TB": 1024**3}
UNIT_OF = {"RequestMemory": "MB", "RequestDisk": "KB"}
CODE = {state: code for code, state in JOB_STATE.items()}


class TwinPool:
    """A pool that does what a test says."""

    def __init__(
        self,
        slots: Sequence[Ad] = (),
        priorities: Sequence[Ad] = (),
        refusals: Mapping[str, str] | None = None,
        user: str = "alice",
        now: int = 1_800_000_000,
    ) -> None:
        """`refusals`: requirement → what a user is told whose job does not fulfil it, like SUBMIT_REQUIREMENT."""
        self.user = user
        self.now = now
        self.reconfigured: list[str] = []
        self.to_come: list[Addable] = []
        """What `addable` says."""
        self._slots = [dict(ad) for ad in slots]
        self._priorities = list(priorities)
        self._refusals = dict(refusals or {})
        self._clusters = {access_point: count(1) for access_point in ACCESS_POINTS}
        self._queue: dict[JobId, dict[str, AdValue]] = {}
        self._history: dict[JobId, dict[str, AdValue]] = {}
        self._passed: dict[JobId, list[JobState]] = {}
        self._happened: list[Happening] = []

    # --- what a user does ---

    def submit(self, description: str, access_point: str, rows: Sequence[Mapping[str, str]] = ()) -> JobId:
        """See Pool."""
        if access_point not in self._clusters:
            raise PoolUnavailable(f"the pool has no access point {access_point} at the moment")
        ads = job_ads(description, rows)
        for ad in ads:
            for requirement, reason in self._refusals.items():
                if not satisfies(requirement, ad):
                    raise JobRefused(reason)
        cluster = next(self._clusters[access_point])
        for proc, ad in enumerate(ads):
            job = JobId(access_point, cluster, proc)
            identity = {"ClusterId": cluster, "ProcId": proc, "Owner": self.user, "User": f"{self.user}@twin"}
            self._queue[job] = {**ad, **identity, "QDate": self.now}
            self._enter(job, JobState.HELD if ad.get("HoldReason") else JobState.IDLE)
        return JobId(access_point, cluster, 0)

    def jobs(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
    ) -> list[Job]:
        """See Pool."""
        return _select(self._queue, constraint, access_points)

    def history(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
        limit: int = -1,
    ) -> list[Job]:
        """See Pool."""
        found = _select(self._history, constraint, access_points)[::-1]
        return found if limit < 0 else [job for point in access_points for job in _of(found, point)[:limit]]

    def slots(self, constraint: str = "true", attributes: Sequence[str] | None = None) -> list[Slot]:
        """See Pool."""
        return [Slot.from_ad(ad) for ad in self._slots if satisfies(constraint, ad)]

    def priorities(self) -> list[Priority]:
        """See Pool."""
        return [Priority.from_ad(ad) for ad in self._priorities]

    def addable(self) -> list[Addable]:
        """See Pool."""
        return list(self.to_come)

    def submitters(self) -> list[Submitter]:
        """See Pool. Named as the pool's transforms would name them."""
        states: dict[tuple[str, str], list[JobState]] = {}
        for job in self.jobs():
            name = f"group_{job.ad.get('PriorityClass')}.{job.project or 'twin'}.{job.user}@twin"
            states.setdefault((name, job.id.access_point), []).append(job.state)
        return [
            Submitter(*who, *(found.count(state) for state in (JobState.IDLE, JobState.RUNNING, JobState.HELD)))
            for who, found in states.items()
        ]

    def remove(self, job: JobId, reason: str) -> None:
        """See Pool."""
        if job not in self._queue:
            raise JobNotFound(f"{job} was not removed: {job.access_point} has no such job in its queue")
        self._queue[job]["RemoveReason"] = reason
        self._leave(job, JobState.REMOVED)

    def remove_submit(self, first: JobId, reason: str) -> None:
        """See Pool."""
        for job in self.jobs(f"ClusterId == {first.cluster}", (), [first.access_point]):
            self.remove(job.id, reason)

    def reconfigure(self, access_point: str) -> None:
        """See Pool."""
        if access_point not in self._clusters:
            raise PoolUnavailable(f"the pool has no access point {access_point} at the moment")
        if self.user != "admin":
            raise PoolUnavailable(f"access point {access_point} did not answer: {self.user} may not command it")
        self.reconfigured.append(access_point)

    def reconfigure_collector(self) -> None:
        """See Pool."""
        if self.user != "admin":
            raise PoolUnavailable(f"the collector did not answer: {self.user} may not command it")
        self.reconfigured.append("collector")

    def wait_for(self, job: JobId, state: JobState, seconds: float) -> Job:
        """See Pool."""
        found = find_job(self, job)
        if found.state is state or (found.state.final and state in self._passed[job]):
            return replace(found, state=state)
        if found.state is JobState.HELD:
            raise JobHeld(f"{job} is on hold: {text(found.ad, 'HoldReason') or 'no reason given'}")
        if found.state.final:
            raise JobEnded(f"{job} is {found.state.value} and was never {state.value}")
        raise Timeout(f"{job} is not {state.value} after {seconds:g} s, but {found.state.value}")

    def follow(self, submits: Sequence[JobId]) -> Iterator[list[Happening]]:
        """See Pool. It ends when a test has nothing more happen between two batches."""
        for submit in submits:
            find_job(self, submit)
        wanted = {(submit.access_point, submit.cluster) for submit in submits}
        told = 0
        while batch := self._happened[told:]:
            told += len(batch)
            yield [one for one in batch if (one.job.access_point, one.job.cluster) in wanted]

    # --- what a pool does ---

    def start(
        self, job: JobId, host: str = "slot1_1@twin@localhost", devices: str = "", elsewhere: str | None = None
    ) -> None:
        """The job runs; `elsewhere`: in the pool of this collector."""
        self._queue[job] |= {"RemoteHost": host, "JobCurrentStartDate": self.now, "AssignedGPUs": devices}
        if elsewhere is not None:
            self._queue[job]["RemotePool"] = elsewhere
        self._enter(job, JobState.RUNNING)

    def add_slot(self, ad: Ad) -> None:
        """A startd advertises it."""
        self._slots.append(dict(ad))

    def evict(self, job: JobId) -> None:
        """The job is displaced and goes back into the queue."""
        del self._queue[job]["RemoteHost"]
        self._queue[job].pop("RemotePool", None)
        self._enter(job, JobState.IDLE)

    def hold(self, job: JobId, reason: str) -> None:
        """The job goes on hold."""
        self._queue[job]["HoldReason"] = reason
        self._enter(job, JobState.HELD)

    def finish(self, job: JobId, exit_code: int = 0) -> None:
        """The job ends by itself."""
        self._queue[job]["ExitCode"] = exit_code
        self._leave(job, JobState.COMPLETED)

    def _enter(self, job: JobId, state: JobState) -> None:
        self._queue[job] |= {"JobStatus": CODE[state], "EnteredCurrentStatus": self.now}
        self._passed.setdefault(job, []).append(state)
        ad, ended = self._queue[job], state is JobState.COMPLETED
        reason = text(ad, {JobState.HELD: "HoldReason", JobState.REMOVED: "RemoveReason"}.get(state, "none"))
        code = ad.get("ExitCode")
        exit_code = code if ended and isinstance(code, int) else None
        displaced = state is JobState.IDLE and JobState.RUNNING in self._passed[job]
        self._happened.append(Happening(job, state, reason, exit_code, displaced))

    def _leave(self, job: JobId, state: JobState) -> None:
        self._enter(job, state)
        self._history[job] = self._queue.pop(job)


def job_ads(description: str, rows: Sequence[Mapping[str, str]] = ()) -> list[dict[str, AdValue]]:
    """The ads of a description's jobs, as far as COMMANDS and attributes set with `+` go."""
    try:
        submission = htcondor2().Submit(description)
    except ValueError as error:
        raise JobRefused(f"the submit description cannot be read: {error}") from error
    if rows:
        return [_job_ad(submission, row) for row in rows]
    submission["queue_arguments"] = submission.getQArgs() or "1"
    return [_job_ad(submission, {}) for _ in range(int(submission.expand("queue_arguments")))]


def _job_ad(submission: Any, row: Mapping[str, str]) -> dict[str, AdValue]:
    for name, value in row.items():
        submission[name] = value
    ad = classad2().ClassAd({"JobUniverse": 5, "RequestCpus": 1})
    for command in submission.keys():  # noqa: SIM118 - iterating Submit itself is not supported by the bindings
        value = submission.expand(command)
        if command.lower().startswith("my."):
            _set(ad, command[len("my.") :], value)
        elif command.lower() == "hold" and value.lower() == "true":
            ad["HoldReason"] = "submitted on hold at user's request"
        elif attribute := COMMANDS.get(command.lower()):
            if command.lower() in STRINGS:
                ad[attribute] = value
            else:
                _set(ad, attribute, _without_unit(attribute, value))
    return plain(ad)


def _set(ad: Any, attribute: str, expression: str) -> None:
    try:
        ad[attribute] = classad2().ExprTree(expression)
    except classad2().ClassAdException as error:
        raise JobRefused(f"Parse error in expression: {attribute} = {expression}") from error


def _without_unit(attribute: str, value: str) -> str:
    """`1GB` as the number that the attribute holds: MiB of memory, KiB of disk."""
    unit = value.strip()[-2:].upper()
    if attribute not in UNIT_OF or unit not in KIB:
        return value
    return str(int(float(value.strip()[:-2]) * KIB[unit] / KIB[UNIT_OF[attribute]]))


def _select(ads: Mapping[JobId, Ad], constraint: str, access_points: Sequence[str]) -> list[Job]:
    # Of copies: other threads may submit, start and end jobs meanwhile.
    there = [(job.access_point, dict(ad)) for job, ad in list(ads.items())]
    return [Job.from_ad(point, ad) for point, ad in there if point in access_points and satisfies(constraint, ad)]


def _of(jobs: Sequence[Job], access_point: str) -> list[Job]:
    return [job for job in jobs if job.id.access_point == access_point]
