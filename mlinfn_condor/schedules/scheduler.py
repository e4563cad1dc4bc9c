"""The scheduler: follow what runs, plan what is due, submit what may start. All it knows is in database and pool.

It can be killed anywhere and run twice: one connection leads; plans and runs are written so that a second one finds
them; and a submit is a process that finds out whether it was done before.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import Pool
from mlinfn_condor.schedules import arrivals, following, identities
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.planning import Waiting, choose, plan
from mlinfn_condor.schedules.runs import Key, Run, Schedule
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.schedules.submitting import DSN_VARIABLE, ON_BEHALF
from mlinfn_condor.store import Error

Submit = Callable[[Key, str], None]
"""Submit the job of a run in the name of its owner, or raise MlinfnError."""


class Scheduler:
    """One turn after the other; `submit` and the clock come in from outside."""

    def __init__(
        self,
        book: Book,
        pool: Callable[[], Pool],
        submit: Submit,
        settings: SchedulesSettings,
        say: Callable[[str], None],
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.book = book
        self._pool, self._submit, self._settings, self._say, self._clock = pool, submit, settings, say, clock
        self._trouble: dict[str, str] = {}
        self._next_poll: dict[int, datetime] = {}

    def turn(self) -> None:
        """Do what is to be done now. What fails for one schedule or daemon is said once, and keeps nobody else."""
        self._attempt("follow jobs", self._follow)
        schedules = {each.number: each for each in self.book.schedules()}
        for schedule in schedules.values():
            self._attempt(f"plan {schedule.owner}'s {schedule.name}", partial(self._plan, schedule))
        runs = self.book.open_runs()
        for number in sorted({run.key.schedule for run in runs}):
            mine = [run for run in runs if run.key.schedule == number]
            self._start(schedules.get(number), mine)
        self.book.forget(self._settings.keep_days)

    def next_due(self) -> datetime | None:
        """When the clock makes something due next. What is due already waits for a job's end or for a daemon."""
        times = [run.start_at for run in self.book.open_runs() if run.state == "due"]
        rules = [(each.rule, each.planned_until) for each in self.book.schedules()]
        times += [due for rule, since in rules if rule for due in [next(rule.after(since), None)] if due]
        return min((time for time in times if time > self._clock()), default=None)

    def _follow(self) -> None:
        schedules = {each.number: each for each in self.book.schedules()}
        runs = [run for run in self.book.open_runs() if run.state == "submitted"]
        if not runs:
            return
        for run, (state, reason) in following.look(self._pool(), runs).items():
            schedule = schedules.get(run.key.schedule)
            if schedule is None:  # removed meanwhile: it is not tried again
                self.book.change(run.key, "submitted", state, reason)
                continue
            again = following.again_at(schedule, run, state, self._clock())
            self.book.finish(schedule, run, state, reason, again)
            self._say(f"schedules: {schedule.owner}'s {schedule.name}: {state} {reason}".rstrip())

    def _plan(self, schedule: Schedule) -> None:
        if schedule.rule is None:
            self._look_for_data(schedule)
            return
        planned = plan(schedule.rule, schedule.lateness, schedule.planned_until, self._clock())
        if not planned.runs and not planned.missed:
            return
        if self.book.write_plan(schedule, planned) and planned.missed:
            self._say(f"schedules: {schedule.owner}'s {schedule.name}: {planned.missed} due times were missed")

    def _look_for_data(self, schedule: Schedule) -> None:
        now = self._clock()
        if any(run.key.schedule == schedule.number for run in self.book.open_runs()):
            return
        if schedule.kind == "commits":
            if now < self._next_poll.get(schedule.number, now):
                return
            self._next_poll[schedule.number] = now + timedelta(seconds=self._settings.poll_seconds)
        arrived = arrivals.look(self.book, schedule)
        at_latest = None if schedule.at_latest_s is None else timedelta(seconds=schedule.at_latest_s)
        if arrivals.enough(arrived.fresh, schedule.least, arrivals.waited(self.book, schedule, now), at_latest):
            self.book.add_run(Key(schedule.number, now), now, arrived.until)

    def _start(self, schedule: Schedule | None, runs: list[Run]) -> None:
        for run in runs:
            if run.state == "submitting":
                self._hand_over(run.key, schedule)
        if schedule is None:
            return
        waiting = [Waiting(run.key.due_at, run.key.attempt, run.start_at) for run in runs if run.state == "due"]
        chosen = choose(waiting, len(runs) - len(waiting), schedule.lateness, self._clock(), overlap=schedule.overlap)
        for one in chosen.skip:
            self.book.change(_key(schedule, one), "due", "skipped", "the run before it was still there")
        for one in chosen.start:
            self._hand_over(_key(schedule, one), schedule)

    def _hand_over(self, key: Key, schedule: Schedule | None) -> None:
        row = self.book.read(key)
        owner = schedule.owner if schedule else row[4] if row else ""
        self._attempt(f"submit for {owner}", partial(self._submit, key, owner))

    def _attempt(self, what: str, act: Callable[[], None]) -> None:
        try:
            act()
        except (MlinfnError, Error) as error:
            if self.book.connection.broken or self.book.connection.closed:
                raise
            if self._trouble.get(what) != str(error):
                self._say(f"schedules: cannot {what}, trying again: {error}")
            self._trouble[what] = str(error)
        else:
            self._trouble.pop(what, None)


def submitter(dsn: str, settings: SchedulesSettings) -> Submit:
    """Submit in a process of its own, with the owner's identity."""

    def submit(key: Key, owner: str) -> None:
        environment = identities.environment_of(owner)
        words = [str(key.schedule), key.due_at.isoformat(), str(key.attempt)] + (
            [ON_BEHALF] if environment is None else []
        )
        try:
            done = subprocess.run(
                [sys.executable, "-m", "mlinfn_condor.schedules.submitting", *words],
                env=os.environ | (environment or {}) | {DSN_VARIABLE: dsn},
                stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False, timeout=settings.submit_seconds,
            )  # fmt: skip
        except subprocess.TimeoutExpired as error:
            raise MlinfnError(f"no answer after {settings.submit_seconds:g} s") from error
        if done.returncode != 0:
            raise MlinfnError((done.stderr.strip().splitlines() or ["it said nothing"])[-1])

    return submit


def _key(schedule: Schedule, one: Waiting) -> Key:
    return Key(schedule.number, one.due_at, one.attempt)
