"""What a person is told while his session starts: pure, from what the pool says of its job."""

from mlinfn_condor.hub.steps import Step
from mlinfn_condor.pool import Device, Job, JobState, ads
from mlinfn_condor.submission.asks import Ask
from mlinfn_condor.submission.devices import HeldDevice, held_devices
from mlinfn_condor.submission.holders import leaves_within
from mlinfn_condor.submission.phrases import counted
from mlinfn_condor.submission.snapshot import Snapshot
from mlinfn_condor.submission.why import Nodes, why


def submitted(job: Job) -> Step:
    """It is in the queue."""
    return Step(10, f"Submitted as {job.id}: {Ask.of(job).words}")


def waiting(snapshot: Snapshot | None, job: Job, nodes: Nodes | None = None) -> Step:
    """It waits, and this is why: the same answer as `mlinfn why` gives. `nodes` is what the provisioner says of it."""
    if snapshot is None:
        return Step(15, "Waiting for a match; the pool does not tell at the moment what it waits for")
    seen = snapshot if snapshot.job(job.id) else snapshot.with_job(job)
    headline = why(seen, job.id, nodes).headline.removeprefix(f"{job.id} waits").removeprefix(": ").strip()
    return Step(15, f"Waiting: {headline}" + (f" {nodes.sentence}" if nodes and nodes.sentence else ""))


def matched(snapshot: Snapshot | None, job: Job) -> list[Step]:
    """It runs: where, on what, and who is still on his way out there; only where, as long as no more is known."""
    node = node_of(job)
    mine = [] if snapshot is None else _mine(snapshot, job)
    if snapshot is None or (Ask.of(job).wants and not mine):
        return [Step(40, f"Matched: {node}")]
    with_devices = f"{counted(one.device for one in mine)} of {node}" if mine else node
    steps = [Step(40, f"Matched: {with_devices}")]
    if leaving := [one for one in mine if one.work and one.work.job != job.id]:
        steps.append(Step(50, _handover(leaving, snapshot.now)))
    return [*steps, Step(60, f"JupyterLab is starting on {node}")]


def node_of(job: Job) -> str:
    """The execution point that it runs on; empty while it waits."""
    return ads.text(job.ad, "RemoteHost").partition("@")[2].partition("@")[0] if job.state is JobState.RUNNING else ""


def devices_of(snapshot: Snapshot, job: Job) -> tuple[Device, ...]:
    """The devices that it runs with."""
    return tuple(one.device for one in _mine(snapshot, job))


def _mine(snapshot: Snapshot, job: Job) -> list[HeldDevice]:
    node = node_of(job)
    return [one for one in held_devices(snapshot.slots) if one.node == node and one.device.id in job.devices]


def _handover(leaving: list[HeldDevice], now: int) -> str:
    victims = sorted({f"{_kind(one)} {one.work.job} of {one.work.user}" for one in leaving if one.work})
    left = max(leaves_within(one.work, now) for one in leaving)
    return (
        f"Hand-over from {' and '.join(victims)}, which has at most {left} s to save its state. "
        "The page opens now; the first cell waits for that"
    )


def _kind(one: HeldDevice) -> str:
    return "Dask worker" if one.work and one.work.priority_class == "dask" else "batch job"
