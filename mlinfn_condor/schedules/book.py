"""The book of schedules and runs in PostgreSQL. In autocommit; what belongs together is one transaction."""

import json
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.schedules.planning import Planned
from mlinfn_condor.schedules.rules import jitter_seconds
from mlinfn_condor.schedules.runs import Key, LastRun, Run, Schedule
from mlinfn_condor.schedules.statements import SQL
from mlinfn_condor.store import Connection


class Book:
    """Everything the scheduler remembers."""

    def __init__(self, connection: Connection) -> None:
        self.connection = connection

    def add(self, values: Mapping[str, Any], per_user: int) -> int:
        """A new schedule; its number. Raises BadRequest: the name is taken, or there are too many."""
        owner, name = values["owner"], values["name"]
        with self.connection.transaction():
            self.connection.execute(SQL.text("hold_owner"), {"owner": owner})
            if self.schedules(owner, name):
                raise BadRequest(f"{owner} has a schedule {name} already: remove it first, or choose another name")
            given = {**values, "job": json.dumps(values["job"]), "per_user": per_user}
            row = self.connection.execute(SQL.text("add_schedule"), given).fetchone()
            if row is None:
                raise BadRequest(f"{owner} has {per_user} schedules, which is all one may have: remove one first")
            self.connection.execute(SQL.text("tell"))
        return int(row[0])

    def rewrite(self, values: Mapping[str, Any]) -> None:
        """Another wish under the same name; its history stays. Raises BadRequest when it is not there."""
        given = {**values, "job": json.dumps(values["job"])}
        with self.connection.transaction():
            if self.connection.execute(SQL.text("change_schedule"), given).fetchone() is None:
                raise BadRequest(f"{values['owner']}'s schedule {values['name']} is gone meanwhile: try again")
            self.connection.execute(SQL.text("tell"))

    def remove(self, owner: str, name: str) -> None:
        """Raises BadRequest when there is none."""
        if self.connection.execute(SQL.text("remove_schedule"), {"owner": owner, "name": name}).fetchone() is None:
            raise BadRequest(f"{owner} has no schedule {name}: `mlinfn schedule list` has those that there are")

    def run_now(self, schedule: Schedule, now: datetime, until: str = "") -> None:
        """A run that is due now; the scheduler is told. `until`: of one that data starts, where the data ends."""
        with self.connection.transaction():
            self.add_run(Key(schedule.number, now), now, until)
            self.connection.execute(SQL.text("tell"))

    def schedules(self, owner: str | None = None, name: str | None = None) -> list[Schedule]:
        """Those that are not removed."""
        rows = self.connection.execute(SQL.text("list_schedules"), {"owner": owner, "name": name})
        return [Schedule(*row) for row in rows]

    def open_runs(self) -> list[Run]:
        """Those that have not ended."""
        rows = self.connection.execute(SQL.text("list_open_runs")).fetchall()
        return [Run(Key(*row[:3]), *row[3:]) for row in rows]

    def write_plan(self, schedule: Schedule, planned: Planned) -> bool:
        """Its runs and its end together; False, and nothing is written, when somebody else planned meanwhile."""
        with self.connection.transaction():
            moved = self.connection.execute(
                SQL.text("move_on"),
                {"number": schedule.number, "after": schedule.planned_until, "until": planned.until},
            )
            if moved.rowcount != 1:
                return False
            for due in planned.runs:
                key = Key(schedule.number, due)
                self.add_run(key, due + timedelta(seconds=jitter_seconds(key.mark, schedule.jitter_s)))
        return True

    def add_run(self, key: Key, start_at: datetime, until: str = "") -> None:
        """A run that waits for its start, unless it is there. `until`: of one that data starts, where its data ends."""
        self.connection.execute(SQL.text("add_run"), _of(key) | {"start_at": start_at, "until": until})

    def change(self, key: Key, was: str, state: str, reason: str = "", cluster: int | None = None) -> bool:
        """To the next state; False when it is no longer in the one that the caller saw."""
        given = {"was": was, "state": state, "reason": reason[:500], "cluster": cluster}
        return self.connection.execute(SQL.text("change_run"), _of(key) | given).rowcount == 1

    def begin(self, key: Key) -> str | None:
        """From `due` to `submitting`; where its data begins, and None when it is not due any more."""
        row = self.connection.execute(SQL.text("begin_submit"), _of(key)).fetchone()
        return None if row is None else str(row[0])

    def finish(self, schedule: Schedule, run: Run, state: str, reason: str, again_at: datetime | None) -> None:
        """The job of a run has ended: what follows is written with it. `again_at`: when it is tried again."""
        with self.connection.transaction():
            if not self.change(run.key, "submitted", state, reason):
                return
            if state == "done" and run.until:
                self.connection.execute(SQL.text("move_mark"), {"number": schedule.number, "mark": run.until})
            if again_at is not None:
                key = Key(run.key.schedule, run.key.due_at, run.key.attempt + 1)
                self.add_run(key, again_at, run.until)

    def history(self, owner: str | None, name: str | None, limit: int) -> list[tuple[Any, ...]]:
        """Owner, name, due time, try, state, since when, cluster, reason; the latest first."""
        given = {"owner": owner, "name": name, "limit": limit}
        return self.connection.execute(SQL.text("list_runs"), given).fetchall()

    def snapshot(self) -> str:
        """Which transactions have ended, as PostgreSQL writes a snapshot."""
        row = self.connection.execute(SQL.text("read_snapshot")).fetchone()
        return str(row[0]) if row else ""

    def count_new(self, table: str, since: str, until: str) -> int:
        """Rows that were written between two snapshots. Raises psycopg's Error for a table that is not watched."""
        row = self.connection.execute(
            SQL.text("count_new"), {"table": table, "since": since, "until": until}
        ).fetchone()
        return int(row[0]) if row else 0

    def last_run(self, number: int) -> LastRun | None:
        """The schedule's latest run, whatever became of it."""
        row = self.connection.execute(SQL.text("read_last_run"), {"number": number}).fetchone()
        return LastRun(*row) if row else None

    def forget(self, days: int) -> None:
        """Runs that ended longer ago."""
        self.connection.execute(SQL.text("forget_runs"), {"days": days})

    def leads(self) -> bool:
        """Whether this connection is the scheduler's that acts."""
        return _true(self.connection.execute(SQL.text("lead")).fetchone())

    def holds(self, key: Key) -> bool:
        """Whether this connection alone works on the run, from now on until it ends."""
        return _true(self.connection.execute(SQL.text("hold_run"), {"mark": key.mark}).fetchone())

    def read(self, key: Key) -> tuple[str, float, str, str, str, dict[str, str]] | None:
        """State and its age in seconds, since, until, owner, job; None: there is no such run."""
        return self.connection.execute(SQL.text("read_run"), _of(key)).fetchone()


def _of(key: Key) -> dict[str, Any]:
    return {"schedule": key.schedule, "due_at": key.due_at, "try": key.attempt}


def _true(row: tuple[Any, ...] | None) -> bool:
    return bool(row and row[0])
