"""`python -m mlinfn_condor.schedules.submitting SCHEDULE DUE TRY [on-behalf]`: submit one run's job, exactly once.

A process for each run, because one process has one identity in the pool. It may be killed anywhere: the state
`submitting` is written before the submit and tells the next one to look for the job's mark before it submits; the lock
of the run is this process's own and goes with its connection, so the next one never works beside it.
"""

import os
import sys
import time
from collections.abc import Callable
from datetime import datetime

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import BadRequest, JobRefused, MlinfnError
from mlinfn_condor.pool import JobId, Pool
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.runs import Key
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.submission import templates

ACCESS_POINT = PriorityClass.BATCH.access_point
DSN_VARIABLE, ON_BEHALF = "MLINFN_SCHEDULES_DSN", "on-behalf"


def submit(
    book: Book,
    pool: Pool,
    key: Key,
    *,
    on_behalf: bool,
    settle_seconds: float,
    pause: Callable[[float], None] = time.sleep,
) -> str:
    """Submit the run's job, or find that it was submitted; the run's state then.

    `on_behalf`: the pool knows us as somebody else, who may submit in the owner's name. Raises PoolUnavailable: then
    nobody knows whether the job was taken, and the state stays `submitting`.
    """
    if not book.holds(key):
        return "submitting"  # somebody else is at it, or was killed a moment ago
    row = book.read(key)
    if row is None:
        raise BadRequest(f"there is no run {key.mark}")
    state, age, since, until, owner, job = row
    if state == "submitting":
        pause(max(0.0, settle_seconds - age))
        if (cluster := find(pool, key, owner)) is not None:
            book.change(key, state, "submitted", "found in the queue", cluster)
            return "submitted"
    elif state != "due" or (begin := book.begin(key)) is None:
        return state
    else:
        since = begin
    named = {"since": since, "until": until, "owner": owner if on_behalf else ""}
    values = {**job, "run": key.mark} | {name: value for name, value in named.items() if value}
    try:
        taken = pool.submit(templates.load("training").fill(values), ACCESS_POINT)
    except (JobRefused, BadRequest) as error:
        book.change(key, "submitting", "refused", str(error))
        return "refused"
    book.change(key, "submitting", "submitted", "", taken.cluster)
    return "submitted"


def find(pool: Pool, key: Key, owner: str) -> int | None:
    """Cluster of the run's job, in the queue or past it. The owner counts: anybody may write any mark into his jobs."""
    mine = f'MlinfnRun == "{key.mark}" && Owner == "{owner}"'
    where = [ACCESS_POINT]
    found = pool.jobs(mine, ["MlinfnRun"], where) or pool.history(mine, ["MlinfnRun"], where, 1)
    return found[0].id.cluster if found else None


def job_of(cluster: int) -> JobId:
    """A run has one job."""
    return JobId(ACCESS_POINT, cluster)


def main() -> None:
    """Exit code 0 when the run's state is known, 1 with one line when it has to be tried again."""
    from mlinfn_condor.pool.real import RealPool
    from mlinfn_condor.store import Error, connect

    number, due, attempt, *how = sys.argv[1:]
    key = Key(int(number), datetime.fromisoformat(due), int(attempt))
    try:
        with connect(os.environ[DSN_VARIABLE], autocommit=True, application="mlinfn schedules submit") as connection:
            settle = SchedulesSettings().settle_seconds
            state = submit(Book(connection), RealPool(), key, on_behalf=ON_BEHALF in how, settle_seconds=settle)
            print(state)  # noqa: T201
    except (MlinfnError, Error) as error:
        sys.exit(" ".join(str(error).split()))


if __name__ == "__main__":
    main()
