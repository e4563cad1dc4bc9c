"""What goes on in the pool, as rows: pure, from a snapshot."""

from collections import Counter
from dataclasses import dataclass

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import DeviceKind, Job, JobState
from mlinfn_condor.submission.devices import HeldDevice, Use, held_devices
from mlinfn_condor.submission.snapshot import Snapshot

PRECEDENCE = {priority_class: place for place, priority_class in enumerate([*PriorityClass, None])}


@dataclass(frozen=True)
class ClassRow:
    """Jobs of one class, by state."""

    priority_class: str
    running: int
    idle: int
    held: int
    users: int


@dataclass(frozen=True)
class DeviceRow:
    """Devices of one model on one node, by use; the uses add up to `total`."""

    node: str
    kind: DeviceKind
    model: str
    simulated: bool
    total: int
    free: int
    session: int
    dask: int
    batch: int
    handing_over: int

    @property
    def label(self) -> str:
        """The model, with a word when it is not a real device."""
        return f"{self.model} (simulated)" if self.simulated else self.model


@dataclass(frozen=True)
class JobRow:
    """A job that runs or is held; or, with `count` above 1, idle jobs of one user."""

    jobs: str
    priority_class: str
    user: str
    project: str
    state: str
    node: str
    devices: str
    since: int
    """Epoch seconds."""
    count: int = 1


@dataclass(frozen=True)
class Status:
    """The three tables of `mlinfn status`."""

    classes: tuple[ClassRow, ...]
    devices: tuple[DeviceRow, ...]
    jobs: tuple[JobRow, ...]


def status(snapshot: Snapshot) -> Status:
    """Classes, devices, and who runs what. Idle jobs are counted per user: there may be thousands."""
    held = held_devices(snapshot.slots)
    return Status(_classes(snapshot), _devices(held), (*_active(snapshot, held), *_idle(snapshot)))


def _classes(snapshot: Snapshot) -> tuple[ClassRow, ...]:
    rows = []
    for priority_class in PriorityClass:
        jobs = [job for job in snapshot.jobs if job.priority_class is priority_class]
        states = Counter(job.state for job in jobs)
        running = states[JobState.RUNNING] + states[JobState.TRANSFERRING] + states[JobState.SUSPENDED]
        users = len({job.user for job in jobs})
        rows.append(ClassRow(priority_class.value, running, states[JobState.IDLE], states[JobState.HELD], users))
    return tuple(rows)


def _devices(held: list[HeldDevice]) -> tuple[DeviceRow, ...]:
    groups: dict[tuple[str, DeviceKind, str, bool], Counter[Use]] = {}
    for one in held:
        key = (one.node, one.device.kind, one.device.model, one.device.simulated)
        groups.setdefault(key, Counter())[one.use] += 1
    order = (Use.FREE, Use.SESSION, Use.DASK, Use.BATCH, Use.HANDING_OVER)
    return tuple(DeviceRow(*key, uses.total(), *(uses[use] for use in order)) for key, uses in groups.items())


def _active(snapshot: Snapshot, held: list[HeldDevice]) -> tuple[JobRow, ...]:
    active = [job for job in snapshot.jobs if job.state is not JobState.IDLE and not job.state.final]
    devices: dict[object, list[HeldDevice]] = {}
    nodes = {slot.job: slot.node for slot in snapshot.slots if slot.claimed}
    nodes |= {job.id: job.elsewhere for job in snapshot.jobs if job.elsewhere}
    for one in held:
        for slot in (one.session, one.work):
            if slot and slot.job:
                devices.setdefault(slot.job, []).append(one)
    return tuple(
        JobRow(
            jobs=str(job.id),
            priority_class=_class(job),
            user=job.user,
            project=job.project,
            state=job.state.value,
            node=nodes.get(job.id, ""),
            devices=", ".join(_device(one, job) for one in devices.get(job.id, [])),
            since=job.since,
        )
        for job in sorted(active, key=lambda job: (PRECEDENCE[job.priority_class], job.id))
    )


def _device(held: HeldDevice, job: Job) -> str:
    if held.use is not Use.HANDING_OVER:
        return held.device.label
    return f"{held.device.label}, {'comes' if held.session and held.session.job == job.id else 'goes'}"


def _idle(snapshot: Snapshot) -> tuple[JobRow, ...]:
    groups: dict[tuple[str, str, str], list[Job]] = {}
    for job in snapshot.jobs:
        if job.state is JobState.IDLE:
            groups.setdefault((_class(job), job.user, job.project), []).append(job)
    return tuple(
        JobRow(_span(jobs), *key, JobState.IDLE.value, "", "", min(job.since for job in jobs), len(jobs))
        for key, jobs in sorted(groups.items())
    )


def _span(jobs: list[Job]) -> str:
    ids = sorted(job.id for job in jobs)
    return str(ids[0]) if len(ids) == 1 else f"{ids[0]} … {ids[-1].local}"


def _class(job: Job) -> str:
    return job.priority_class.value if job.priority_class else "none"
