"""A real pool, through HTCondor's bindings."""

import re
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any

from mlinfn_condor.errors import JobEnded, JobHeld, JobNotFound, JobRefused, PoolUnavailable, Timeout
from mlinfn_condor.pool import addable, bindings
from mlinfn_condor.pool.addable import Addable
from mlinfn_condor.pool.ads import text, whole
from mlinfn_condor.pool.bindings import answering, htcondor2, plain
from mlinfn_condor.pool.events import Happening, changes, happenings
from mlinfn_condor.pool.jobs import JOB_ATTRIBUTES, Job, JobId, JobState
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.protocol import ACCESS_POINTS, find_job
from mlinfn_condor.pool.slots import SLOT_ATTRIBUTES, Slot
from mlinfn_condor.pool.submitters import Submitter

BETWEEN_SECONDS = 5
POLL_SECONDS = 0.5
"""How often the queue is asked about a job that keeps no event log, or whose log cannot be read from here."""

ITEM_SEPARATOR = "\x1f"
"""Parts the values of a row. No value has it: `language.complaint`."""

_REASON = re.compile(r"SCHEDD:\d+:(?P<reason>.*)", re.DOTALL)
_UNREACHABLE = re.compile(r"connect|communicat|authenticat|DENIED", re.IGNORECASE)


class RealPool:
    """The pool that `environment` (CONDOR_CONFIG, _CONDOR_SEC_TOKEN_DIRECTORY; by default this process's) leads to."""

    def __init__(self, environment: Mapping[str, str] | None = None) -> None:
        bindings.connect(environment or {})
        self._schedds: dict[str, Any] = {}

    def submit(self, description: str, access_point: str, rows: Sequence[Mapping[str, str]] = ()) -> JobId:
        """See Pool."""
        try:
            submission = htcondor2().Submit(description)
        except ValueError as error:
            raise JobRefused(f"the submit description cannot be read: {error}") from error
        schedd = self._schedd(access_point)
        try:
            with _queue(rows) as queue:
                result = schedd.submit(submission, queue=queue)
        except htcondor2().HTCondorException as error:
            refusal = _refusal(access_point, str(error))
            if isinstance(refusal, PoolUnavailable):
                self._schedds.pop(access_point, None)
            raise refusal from error
        return JobId(access_point, result.cluster(), result.first_proc())

    def jobs(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
    ) -> list[Job]:
        """See Pool."""
        wanted = [*JOB_ATTRIBUTES, *attributes]
        found: list[Job] = []
        for access_point in access_points:
            schedd = self._schedd(access_point)
            with self._asking(access_point):
                found += [Job.from_ad(access_point, plain(ad)) for ad in schedd.query(constraint, wanted)]
        return sorted(found, key=lambda job: (job.ad.get("QDate") or 0, job.id))

    def history(
        self,
        constraint: str = "true",
        attributes: Sequence[str] = (),
        access_points: Sequence[str] = ACCESS_POINTS,
        limit: int = -1,
    ) -> list[Job]:
        """See Pool."""
        wanted = [*JOB_ATTRIBUTES, *attributes]
        found: list[Job] = []
        for access_point in access_points:
            schedd = self._schedd(access_point)
            with self._asking(access_point):
                found += [Job.from_ad(access_point, plain(ad)) for ad in schedd.history(constraint, wanted, limit)]
        return found

    def slots(self, constraint: str = "true", attributes: Sequence[str] | None = None) -> list[Slot]:
        """See Pool."""
        wanted = None if attributes is None else [*SLOT_ATTRIBUTES, *attributes]
        return [Slot.from_ad(ad) for ad in self._collected("Slot", constraint, wanted)]

    def priorities(self) -> list[Priority]:
        """See Pool. From the collector: the bindings' getPriorities mixes records up from the tenth on (25.14.1)."""
        return [Priority.from_ad(ad) for ad in self._collected("Accounting", "true", None)]

    def addable(self) -> list[Addable]:
        """See Pool."""
        told = self._collected("Negotiator", "true", ["MlinfnNodesToCome"])
        return [node for ad in told for node in addable.read(text(ad, "MlinfnNodesToCome"))]

    def submitters(self) -> list[Submitter]:
        """See Pool."""
        return [Submitter.from_ad(ad) for ad in self._collected("Submitter", "true", None)]

    def remove(self, job: JobId, reason: str) -> None:
        """See Pool."""
        schedd = self._schedd(job.access_point)
        with self._asking(job.access_point):
            # As a pair: the bindings drop a reason that comes without a code (25.14.1).
            answer = schedd.act(htcondor2().JobAction.Remove, job.local, (reason, 0))
        if answer.get("TotalPermissionDenied"):
            raise JobRefused(f"{job} was not removed: it is another user's")
        if not answer.get("TotalSuccess"):
            raise JobNotFound(f"{job} was not removed: {job.access_point} has no such job in its queue")

    def remove_submit(self, first: JobId, reason: str) -> None:
        """See Pool."""
        schedd = self._schedd(first.access_point)
        with self._asking(first.access_point):
            answer = schedd.act(htcondor2().JobAction.Remove, f"ClusterId == {first.cluster}", (reason, 0))
        if answer.get("TotalPermissionDenied"):
            raise JobRefused(f"the jobs of {first} were not removed: they are another user's")

    def reconfigure(self, access_point: str) -> None:
        """See Pool."""
        location = self._locate(access_point)
        location["MyType"] = "Scheduler"  # send_command wants it, locate leaves it out (25.14.1)
        with self._asking(access_point):
            htcondor2().send_command(location, htcondor2().DaemonCommand.Reconfig)
        # A schedd does one thing after the other: when it answers, it has read its maps.
        self.jobs("false", access_points=[access_point])

    def reconfigure_collector(self) -> None:
        """See Pool."""
        bound = htcondor2()
        with answering("the collector"):
            found = bound.Collector().locate(bound.DaemonType.Collector)
            found["MyType"] = "Collector"
            bound.send_command(found, bound.DaemonCommand.Reconfig)

    def wait_for(self, job: JobId, state: JobState, seconds: float) -> Job:
        """See Pool."""
        deadline = time.monotonic() + seconds
        found = find_job(self, job)
        if found.state is JobState.HELD:  # a job submitted on hold has no event that says so
            self._stop_if_over(found, found.state, state)
        log = Path(found.log)
        if found.log and log.is_file():
            seen = self._follow(changes(log, job, deadline), found, state)
        else:
            seen = self._ask_again(found, state, deadline)
        if not seen:
            raise Timeout(f"{job} is not {state.value} after {seconds:g} s, but {self._latest(found).state.value}")
        return replace(self._latest(found), state=state)

    def follow(self, submits: Sequence[JobId]) -> Iterator[list[Happening]]:
        """See Pool."""
        logs: dict[Path, list[JobId]] = {}
        for submit in submits:
            found = find_job(self, submit)
            if not found.log:
                raise PoolUnavailable(f"{submit} keeps no event log (`log = …`): it goes on, but cannot be watched")
            logs.setdefault(Path(found.log), []).append(submit)
        return happenings(logs)

    def _follow(self, batches: Iterable[tuple[JobState, ...]], job: Job, state: JobState) -> bool:
        passed: set[JobState] = set()
        for batch in batches:
            passed.update(batch)
            now = batch[-1] if batch else job.state
            if now is state or (now.final and state in passed):
                return True
            self._stop_if_over(job, now, state)
        return False

    def _ask_again(self, job: Job, state: JobState, deadline: float) -> bool:
        while not (job.state is state or (state is JobState.RUNNING and whole(job.ad, "NumJobStarts"))):
            self._stop_if_over(job, job.state, state)
            if time.monotonic() > deadline:
                return False
            time.sleep(POLL_SECONDS)
            job = self._latest(job)
        return True

    def _stop_if_over(self, job: Job, now: JobState, wanted: JobState) -> None:
        if now is JobState.HELD and wanted is not JobState.HELD:
            raise JobHeld(f"{job.id} is on hold: {text(self._latest(job).ad, 'HoldReason') or 'no reason given'}")
        if now.final:
            raise JobEnded(f"{job.id} is {now.value} and was never {wanted.value}")

    def _latest(self, job: Job) -> Job:
        """The job's ad of now. On its way from the queue to the history a job is in neither for a moment."""
        deadline = time.monotonic() + BETWEEN_SECONDS
        while True:
            try:
                return find_job(self, job.id)
            except JobNotFound:
                if time.monotonic() > deadline:
                    return job
            time.sleep(POLL_SECONDS / 10)

    def _schedd(self, access_point: str) -> Any:
        if access_point not in self._schedds:
            self._schedds[access_point] = htcondor2().Schedd(self._locate(access_point))
        return self._schedds[access_point]

    def _locate(self, access_point: str) -> Any:
        bound = htcondor2()
        with answering("the collector"):
            location = bound.Collector().locate(bound.DaemonType.Schedd, access_point)
        if location is None:
            raise PoolUnavailable(f"the pool has no access point {access_point} at the moment")
        return location

    @contextmanager
    def _asking(self, access_point: str) -> Iterator[None]:
        """Look its address up again after a failure: a schedd that was started anew may have another one."""
        try:
            with answering(f"access point {access_point}"):
                yield
        except PoolUnavailable:
            self._schedds.pop(access_point, None)
            raise

    def _collected(self, kind: str, constraint: str, attributes: list[str] | None) -> list[dict[str, Any]]:
        bound = htcondor2()
        with answering("the collector"):
            found = bound.Collector().query(getattr(bound.AdType, kind), constraint, attributes)
        return [plain(ad) for ad in found]


@contextmanager
def _queue(rows: Sequence[Mapping[str, str]]) -> Iterator[str | None]:
    """The `queue` statement that gives each row a job; None: as the description has it.

    By a file: the bindings' own `itemdata` costs the square of the number of rows (25.14.1; 2 s of 10,000 rows).
    """
    if not rows:
        yield None
        return
    with NamedTemporaryFile("w", prefix="mlinfn-rows-") as file:
        file.writelines(f"{ITEM_SEPARATOR.join(row[name] for name in rows[0])}\n" for row in rows)
        file.flush()
        yield f"{','.join(rows[0])} from {file.name}"


def _refusal(access_point: str, message: str) -> JobRefused | PoolUnavailable:
    """The policy's own sentence where there is one; HTCondor wraps it in its own words."""
    if reason := _REASON.search(message):
        return JobRefused(" ".join(reason["reason"].split()))
    message = " ".join(message.split())
    if _UNREACHABLE.search(message):
        return PoolUnavailable(f"access point {access_point} did not take the job: {message}")
    return JobRefused(message)
