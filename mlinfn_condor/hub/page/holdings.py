"""Who holds what, since when, and has used how much: pure, from a snapshot."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.hub.page.limits import Held
from mlinfn_condor.pool import Job, JobState, ads
from mlinfn_condor.submission.asks import Ask
from mlinfn_condor.submission.devices import held_devices
from mlinfn_condor.submission.phrases import counted
from mlinfn_condor.submission.snapshot import Snapshot

Owner = Callable[[Job], tuple[str, str] | None]
"""User and server name of a session of this hub; None for one that somebody started otherwise."""


@dataclass(frozen=True)
class Holding:
    """A session in the queue."""

    job: str
    user: str
    server: str | None
    """Its name in the hub, empty for the default one; None: it is not of this hub, which cannot stop it."""
    project: str
    state: str
    node: str
    devices: str
    """What it holds or waits for, in words; empty: none."""
    device_count: int
    """Devices that it holds; what it only waits for is not held."""
    cpus: int
    memory_mb: int
    since: int
    """Epoch seconds at which it started; at which it came into its state if it does not run."""
    seconds: int
    """How long it has run without a break; 0 if it does not run."""

    @property
    def device_hours(self) -> float:
        """Hours of its devices; a session of two devices uses two in an hour."""
        return self.device_count * self.seconds / 3600

    @property
    def core_hours(self) -> float:
        """Hours of its cores."""
        return self.cpus * self.seconds / 3600


@dataclass(frozen=True)
class ProjectTotal:
    """The sessions of a project together."""

    project: str
    people: int
    sessions: int
    devices: int
    device_hours: float
    core_hours: float


def sessions(snapshot: Snapshot) -> list[Job]:
    """Sessions that are in the queue, in the order in which they came."""
    found = (job for job in snapshot.jobs if job.priority_class is PriorityClass.INTERACTIVE and not job.state.final)
    return sorted(found, key=lambda job: job.id)


def holdings(snapshot: Snapshot, owner_of: Owner) -> tuple[Holding, ...]:
    """Every session in the queue, by user and job."""
    by_job = {slot.job: slot for slot in snapshot.slots if slot.claimed and slot.job}
    held = held_devices(snapshot.slots)
    rows = []
    for job in sessions(snapshot):
        user, server = owner_of(job) or (job.user, None)
        running = job.state in (JobState.RUNNING, JobState.TRANSFERRING, JobState.SUSPENDED)
        mine = [one.device for one in held if one.session and one.session.job == job.id]
        ask, since = Ask.of(job), (ads.whole(job.ad, "JobCurrentStartDate") if running else 0) or job.since
        row = Holding(
            job=str(job.id),
            user=user,
            server=server,
            project=job.project,
            state=job.state.value,
            node=by_job[job.id].node if job.id in by_job else "",
            devices=counted(mine) if mine else _asked(ask, running),
            device_count=(len(mine) or ask.device_count) if running else 0,
            cpus=job.cpus,
            memory_mb=job.memory_mb,
            since=since,
            seconds=max(0, snapshot.now - since) if running else 0,
        )
        rows.append(row)
    return tuple(sorted(rows, key=lambda row: (row.user, row.server is None, row.server or "", row.job)))


def _asked(ask: Ask, running: bool) -> str:
    """A collector that is behind does not know a session's devices yet, and the job's own request is as true."""
    words = ", ".join(want.words for want in ask.wants)
    return words if running or not words else f"waits for {words}"


def project_totals(rows: Iterable[Holding]) -> tuple[ProjectTotal, ...]:
    """Sums of the sessions of each project, the largest holder of devices first."""
    groups: dict[str, list[Holding]] = {}
    for row in rows:
        groups.setdefault(row.project, []).append(row)
    totals = (
        ProjectTotal(
            project=project,
            people=len({row.user for row in of_project}),
            sessions=len(of_project),
            devices=sum(row.device_count for row in of_project),
            device_hours=sum(row.device_hours for row in of_project),
            core_hours=sum(row.core_hours for row in of_project),
        )
        for project, of_project in groups.items()
    )
    return tuple(sorted(totals, key=lambda total: (-total.devices, -total.device_hours, total.project)))


def held(snapshot: Snapshot, owner_of: Owner) -> tuple[Held, ...]:
    """What counts towards the limits: every session in the queue, with the devices that it has or waits for."""
    found = []
    for job in sessions(snapshot):
        user, server = owner_of(job) or (job.user, str(job.id))
        found.append(Held(user, job.project, server, Ask.of(job).device_count))
    return tuple(found)
