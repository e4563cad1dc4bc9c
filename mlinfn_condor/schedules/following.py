"""What became of submitted runs; pure but for one question to the access point."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from mlinfn_condor.pool import Job, JobState, Pool
from mlinfn_condor.schedules.runs import Run, Schedule
from mlinfn_condor.schedules.submitting import ACCESS_POINT

Outcome = tuple[str, str]
"""State of the run, and why."""


def look(pool: Pool, runs: Iterable[Run]) -> dict[Run, Outcome]:
    """Those whose job has ended. A job that is in neither queue nor history is given up as lost."""
    submitted = [run for run in runs if run.state == "submitted" and run.cluster is not None]
    queued = _jobs(pool, submitted, history=False) if submitted else {}
    left = [run for run in submitted if run.cluster not in queued]
    past = _jobs(pool, left, history=True) if left else {}
    return {run: outcome(past.get(run.cluster)) for run in left}


def outcome(job: Job | None) -> Outcome:
    """Of a job that is not in the queue any more."""
    if job is None:
        return "failed", "its access point knows the job no more"
    if job.state is JobState.COMPLETED:
        code = job.ad.get("ExitCode")
        return ("done", "") if code == 0 else ("failed", "ended by a signal" if code is None else f"exit code {code}")
    return "removed", str(job.ad.get("RemoveReason") or "")


def again_at(schedule: Schedule, run: Run, state: str, now: datetime) -> datetime | None:
    """When a failed run is tried again, after twice the pause each time; None: no more."""
    if state != "failed" or run.key.attempt >= schedule.retries:
        return None
    return now + timedelta(seconds=schedule.retry_s * 2**run.key.attempt)


def _jobs(pool: Pool, runs: Iterable[Run], *, history: bool) -> dict[int | None, Job]:
    # Its mark, too: a schedd whose queue was lost counts its clusters from the beginning.
    jobs = " || ".join(f'(ClusterId == {run.cluster} && MlinfnRun == "{run.key.mark}")' for run in runs)
    found = pool.history(jobs, [], [ACCESS_POINT]) if history else pool.jobs(jobs, [], [ACCESS_POINT])
    return {job.id.cluster: job for job in found}
