"""Where an idle job stands among those of its class: pure."""

from collections import Counter
from dataclasses import dataclass

from mlinfn_condor.pool import Job, JobState, Priority
from mlinfn_condor.submission.snapshot import Snapshot


@dataclass(frozen=True)
class Standing:
    """A place in the queue of a class. The negotiator deals slots out in turns, so it is an estimate, not a promise."""

    place: int
    of: int
    ahead: tuple[tuple[str, int], ...]
    """Users with jobs before this one and how many, the most first."""


def standing(snapshot: Snapshot, job: Job) -> Standing:
    """The job's place: users who used less come first, a user's own jobs by their priority and age."""
    effective = {priority.name: priority.effective for priority in snapshot.priorities if not priority.is_group}
    idle = [
        other for other in snapshot.jobs if other.state is JobState.IDLE and other.priority_class is job.priority_class
    ]
    ordered = sorted(idle, key=lambda other: _order(effective, other))
    place = ordered.index(job)
    return Standing(place + 1, len(ordered), tuple(Counter(other.user for other in ordered[:place]).most_common()))


def _order(effective: dict[str, float], job: Job) -> tuple[object, ...]:
    """Somebody without a record has used nothing, and comes before those who have."""
    urgency = job.ad.get("JobPrio")
    return effective.get(job.submitter, 0.0), job.submitter, -(urgency if isinstance(urgency, int) else 0), job.id


def record(snapshot: Snapshot, job: Job) -> Priority | None:
    """What the negotiator has on the job's submitter."""
    return next((priority for priority in snapshot.priorities if priority.name == job.submitter), None)
