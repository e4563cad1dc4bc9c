"""A pool while a workload is played on it: submits when it is time, and reads what happened."""

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.boosts import submitters
from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.pool import commands
from mlinfn_condor.pool.commands import CommandFailed
from mlinfn_condor.simulation import trace
from mlinfn_condor.simulation.jobs import MICRO, description
from mlinfn_condor.simulation.reckoning import Played
from mlinfn_condor.simulation.scaling import Clock, Numbers
from mlinfn_condor.simulation.trace import Job, Trace
from mlinfn_condor.simulation.workload import Boost, Submit, Workload

LOOK_SECONDS = 0.2
GRACE_SECONDS = 120
"""Of wall time, beyond what the workload could take with a third of the devices."""


class Stage:
    """The pool, while the workload is played on it."""

    def __init__(
        self, pool: RunningPool, workload: Workload, contracts: Contracts, clock: Clock, numbers: Numbers
    ) -> None:
        self._pool, self._workload, self._contracts = pool, workload, contracts
        self._clock, self._numbers = clock, numbers
        self._refused: list[str] = []
        self._folder = pool.layout.folder / "played"
        self._folder.mkdir()
        self._trace, self._read = Trace(), 0
        self._environments = {who: {**os.environ, **pool.environment(who)} for who in (*workload.people, ADMINISTRATOR)}
        self._submitted = 0
        self.late = 0.0
        """The most that a submit came too late, wall seconds."""

    def run(self, advance: Callable[[int], None]) -> float:
        """Until the end; the simulated second at which that was."""
        due = list(self._workload.rows)
        end = self._workload.end
        stop = self._clock.wall(end) if end is not None else time.time() + self._bound()
        told = 0
        while time.time() < stop:
            while due and self._clock.wall(due[0].at) <= time.time():
                row = due.pop(0)
                self.late = max(self.late, time.time() - self._clock.wall(row.at))
                self._boost(row) if isinstance(row, Boost) else self._submit(row)
            self._look()
            if self._trace.over > told:
                advance(self._trace.over - told)
                told = self._trace.over
            if not due and end is None and told >= len(self._trace.jobs) and self._submitted <= len(self._trace.jobs):
                break
            following = min(stop, self._clock.wall(due[0].at) if due else stop)
            time.sleep(max(0.0, min(LOOK_SECONDS, following - time.time())))
        return end if end is not None else self._clock.simulated(time.time())

    def charged(self) -> dict[str, float]:
        """Slot weights times seconds of each project, as the negotiator has them."""
        told = commands.run(
            self._environments[ADMINISTRATOR],
            *("condor_userprio", "-negotiator", "-allusers", "-af", "Name", "WeightedAccumulatedUsage"),
        )
        found: dict[str, float] = {}
        for line in told.splitlines():
            name, _, usage = line.rpartition(" ")
            group, _, person = name.strip().partition("@")
            words = group.split(".")
            if person and len(words) == 3 and usage != "undefined":
                found[words[1]] = found.get(words[1], 0.0) + float(usage)
        return found

    def played(self, horizon: float) -> list[Played]:
        """All jobs that were submitted, in simulated time."""
        self._look()
        rows = {submit.line: submit for submit in self._workload.submits}
        return [Played(rows[job.row], self._simulated(job), self._kept(job)) for job in self._trace.jobs.values()]

    def remarks(self, played: Iterable[Played]) -> Iterator[str]:
        """What a reader of the outcome has to know of this run."""
        played = list(played)
        yield from self._refused
        for reason in sorted({one.job.held for one in played if one.job.held}):
            count = sum(one.job.held == reason for one in played)
            yield f"{count} jobs were put on hold: {reason}"
        failed = sum(run.outcome == trace.FAILED for one in played for run in one.job.runs)
        if failed:
            yield f"{failed} attempts failed: their work since the last checkpoint was done again"
        if self._workload.end is None and (left := sum(not one.job.over for one in played)):
            yield f"{left} jobs were not over at the end: a busy machine, or what the policy never serves"
        if self.late > 1:
            yield f"submits came up to {self.late:.1f} s of wall time too late: a busy machine, or too fast (--speed)"

    def _bound(self) -> float:
        """Wall seconds that a workload without an end may take."""
        work = sum(submit.count * max(1, submit.devices) * submit.duration for submit in self._workload.submits)
        devices = sum(map(self._contracts.pool.count, self._contracts.pool.models))
        return (self._workload.span + 3 * work / max(1, devices)) / self._clock.speed + GRACE_SECONDS

    def _look(self) -> None:
        log = self._pool.layout.log / "EventLog"
        if log.exists():
            with log.open("rb") as stream:
                stream.seek(self._read)
                fresh = stream.read()
            whole = fresh[: fresh.rfind(b"\n") + 1]
            self._read += len(whole)
            self._trace.take(whole.decode())

    def _submit(self, submit: Submit) -> None:
        file = self._folder / f"{submit.line}.sub"
        file.write_text(description(submit, self._folder, self._clock, self._numbers, self._contracts))
        words = ("-terse", "-name", submit.priority_class.access_point, str(file))
        try:
            commands.run(self._environments[submit.who], "condor_submit", *words)
            self._submitted += submit.count
        except CommandFailed as error:  # what the policy refuses is an outcome too
            self._refused.append(f"line {submit.line}: refused: {error}")

    def _boost(self, boost: Boost) -> None:
        """As `mlinfn boost` does, for as long in wall time as it lasts in the simulated."""
        people = [who for who, projects in self._workload.people.items() if boost.project in projects]
        domain = self._pool.layout.folder.name
        weight = self._numbers.device_weight
        seconds = str(max(1, round(boost.duration / self._clock.speed)))
        given = {"floor": boost.floor, "factor": boost.factor, "ceiling": boost.ceiling}
        for submitter in submitters(boost.project, people, list(PriorityClass), domain):
            for kind, value in given.items():
                if value is not None:
                    lent = value if kind == "factor" else value * weight
                    words = (f"-set{kind}", submitter, f"{lent:g}", "-duration", seconds)
                    commands.run(self._environments[ADMINISTRATOR], "condor_userprio", *words)

    def _simulated(self, job: Job) -> Job:
        runs = tuple(
            replace(
                run,
                start=self._clock.simulated(run.start),
                end=None if run.end is None else self._clock.simulated(run.end),
            )
            for run in job.runs
        )
        return replace(job, submitted=self._clock.simulated(job.submitted), runs=runs)

    def _kept(self, job: Job) -> tuple[tuple[float, float], ...]:
        try:
            lines = (self._folder / f"{job.row}.{job.proc}").read_text().splitlines()
        except FileNotFoundError:
            return ()
        pairs = [line.split() for line in lines]
        return tuple((self._clock.simulated(float(at)), int(kept) / MICRO * self._clock.speed) for at, kept in pairs)
