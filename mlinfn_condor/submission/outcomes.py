"""What there is to say of a job that is not idle: pure, from a snapshot."""

from mlinfn_condor.pool import Job, JobState, ads
from mlinfn_condor.submission.devices import HeldDevice, Use
from mlinfn_condor.submission.holders import leaves_within
from mlinfn_condor.submission.phrases import clock, counted, span
from mlinfn_condor.submission.snapshot import Snapshot


def sentences(snapshot: Snapshot, job: Job, held: list[HeldDevice]) -> list[str]:
    """A headline, and what else helps."""
    since = f"{clock(job.since, snapshot.now)} ({span(snapshot.now - job.since)} ago)"
    if job.state is JobState.HELD:
        reason = ads.text(job.ad, "HoldReason") or "no reason given"
        again = f"`condor_release -name {job.id.access_point} {job.id.local}`"
        return [
            f"{job.id} is on hold since {since}: {reason}",
            f"It waits for a person: when the cause is gone, {again} lets it go on; condor_rm instead ends it.",
        ]
    if job.state is JobState.REMOVED:
        return [f"{job.id} was removed at {since}: {ads.text(job.ad, 'RemoveReason') or 'no reason given'}"]
    if job.state is JobState.COMPLETED:
        return [f"{job.id} has completed at {since} with exit code {ads.text(job.ad, 'ExitCode') or 'unknown'}."]
    return _running(snapshot, job, held, since)


def _running(snapshot: Snapshot, job: Job, held: list[HeldDevice], since: str) -> list[str]:
    mine = [one for one in held if job.id in {slot.job for slot in (one.session, one.work) if slot}]
    node = next((slot.node for slot in snapshot.slots if slot.claimed and slot.job == job.id), None)
    if job.elsewhere:
        where = f"on {ads.text(job.ad, 'RemoteHost')} of the pool of {job.elsewhere}"
        return [f"{job.id} is {job.state.value} {where} since {since}: it flocked, for this pool had no room."]
    if node is None:
        lost = "no node reports it at the moment: if that lasts, HTCondor gives it up and starts it again elsewhere."
        return [f"{job.id} is {job.state.value} since {since}, but {lost}"]
    on = f" with {counted(one.device for one in mine)}" if mine else ""
    lines = [f"{job.id} is {job.state.value} on {node} since {since}{on}."]
    for one in mine:
        if one.use is not Use.HANDING_OVER or one.session is None or one.work is None:
            continue
        left = leaves_within(one.work, snapshot.now)
        if one.session.job == job.id:
            lines.append(
                f"Its {one.device.label} is being handed over by {one.work.job} of {one.work.user}, which is saving "
                f"its state: at most {left} s left; its kernels wait for that."
            )
        else:
            lines.append(
                f"It gives its {one.device.label} to session {one.session.job} of {one.session.user}: at most {left} s "
                f"left to save its state; then it waits in the queue and goes on elsewhere."
            )
    return lines
