"""The pool under test: a private one of its own, full of batch, and nothing else on it."""

import shutil
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

from mlinfn_condor.bench import acts
from mlinfn_condor.bench.client import Client
from mlinfn_condor.bench.journal import Journal, name_of
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import distribution, lifecycle
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR, Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.errors import JobNotFound, Timeout
from mlinfn_condor.pool import JobId
from mlinfn_condor.settings import Settings

POOL = "bench"
USERS = tuple(f"u{number:02}" for number in range(1, 21))
PROJECTS = ("alpha", "beta")
IDLE_JOBS = 2000
GPUS = {device.id: device.model for node in (SERVER1, SERVER2) for device in node.devices if device.kind == "GPUs"}
"""Model of each GPU of the pool, by id."""
SATURATED_SECONDS = 240
"""Within HTCondor's default intervals a pool of 16 GPUs fills in one or two cycles of 60 s."""
LAST_SECONDS = 150
"""Longer than any window."""
LOOK_SECONDS = 0.25


@dataclass(frozen=True)
class Load:
    """The batch jobs that fill the pool."""

    run_seconds: float
    leave: Sequence[float | None]
    """How long they go on after they were asked to leave, user by user in turn; None: as long as `Stand.leave` says."""


LASTING = Load(run_seconds=1e6, leave=[None])
"""Jobs that would run for days, like trainings; their way out can be changed while they run."""


@dataclass
class Stand:
    """The running pool, its clients, and what its payloads wrote."""

    pool: RunningPool
    clients: Mapping[str, Client]
    administrator: Client
    folder: Path
    """Where payloads write."""
    sessions_at: str
    """Access point that takes the sessions."""
    journal: Journal
    batch: list[str] = field(default_factory=list)
    """Names of the batch jobs that fill the pool."""
    idle_jobs: int = 0
    """How many of them were idle when the pool was full."""

    @property
    def leave(self) -> Path:
        """File with the seconds that lasting batch jobs take to leave."""
        return self.folder / "leave"

    def submit(self, user: str, priority_class: PriorityClass, run_seconds: float, model: str | None = None) -> None:
        """Begin to submit a payload that leaves at once when asked; `Client.finish` gives its id."""
        description = acts.payload(priority_class, self.folder, run_seconds=run_seconds, leave=0.2, model=model)
        access_point = self.sessions_at if priority_class is PriorityClass.INTERACTIVE else priority_class.access_point
        self.clients[user].start(acts.submit_payload, description, access_point)

    def fill(self, load: Load) -> None:
        """Queue the batch jobs of all users, and wait until they hold every GPU."""
        share = -(-(IDLE_JOBS + len(GPUS)) // len(USERS))
        for place, client in enumerate(self.clients.values()):
            asked = load.leave[place % len(load.leave)]
            leave = self.leave if asked is None else asked
            description = acts.payload(
                PriorityClass.BATCH, self.folder, run_seconds=load.run_seconds, leave=leave, count=share
            )
            first = client.call(acts.submit_payload, description, PriorityClass.BATCH.access_point).result
            self.batch += [f"batch-{first.cluster}.{number}" for number in range(share)]
        self.wait_until_saturated()
        self.idle_jobs = sum(idle for *_, idle in self.administrator.call(acts.queued).result)

    def wait_until_saturated(self) -> None:
        """Until batch holds every GPU, and nobody else holds or leaves one. Raises Timeout."""
        deadline = time.monotonic() + SATURATED_SECONDS
        wanted = {(device, PriorityClass.BATCH, False) for device in GPUS}
        while set(seen := self.administrator.call(acts.claimed).result) != wanted:
            if time.monotonic() > deadline:
                raise Timeout(
                    f"only {len(seen)} of {len(GPUS)} GPUs were taken by batch within {SATURATED_SECONDS} s; "
                    "a busy machine? `mlinfn bench` wants it for itself"
                )
            time.sleep(LOOK_SECONDS)

    def wait_for_phase(self, place: int, of: int, period_seconds: float) -> None:
        """Wait until the pool is full, and then for repeat `place` of `of` its part of a period.

        The pool gets full just after a daemon looked. Without this every repeat would meet the daemons' clocks in the
        same phase, and wait for nearly a whole period where one who comes at any moment waits for half of one.
        """
        self.wait_until_saturated()
        time.sleep((place + 0.5) / of * period_seconds)
        self.wait_until_saturated()

    def end(self, user: str, job: JobId) -> None:
        """End a session, if it did not end by itself in the meantime."""
        with suppress(JobNotFound):
            self.clients[user].call(acts.remove, job)

    def see_off(self, sessions: Mapping[str, tuple[str, JobId]], started: Collection[str]) -> None:
        """Let the sessions that started run to their end, with the device that they waited for; end the others."""
        finished = self.journal.wait_for(started, "finished", LAST_SECONDS)
        for session, (user, job) in sessions.items():
            if session not in finished:
                self.end(user, job)

    def queued(self) -> set[str]:
        """Names of all jobs in a queue."""
        return {name_of(job, of) for job, of, _ in self.administrator.call(acts.queued).result if of}


@contextmanager
def home() -> Iterator[Path]:
    """A folder of its own, with a short path because sockets lie below it, and the user's HTCondor in it."""
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-", dir="/tmp"))
    try:
        (folder / "htcondor").symlink_to(Settings().distributions.absolute())
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def stand(home: Path, report: Report, load: Load, overrides: str = "", sessions_at: str = "") -> Iterator[Stand]:
    """Bring the pool up, full; afterwards nothing of it is left."""
    distribution.ensure(Settings(), report)
    settings = Settings(home=home, pool=POOL)
    people = {user: (PROJECTS[place % len(PROJECTS)],) for place, user in enumerate(USERS)}
    pool = lifecycle.up(settings, report, Blueprint(people=people, use_real_devices=False, overrides=overrides))
    clients: dict[str, Client] = {}
    try:
        for user in (*USERS, ADMINISTRATOR):
            clients[user] = Client(_environment(pool, user))
        users = {user: clients[user] for user in USERS}
        folder = pool.layout.folder / "payloads"
        folder.mkdir()
        access_point = sessions_at or PriorityClass.INTERACTIVE.access_point
        ready = Stand(pool, users, clients[ADMINISTRATOR], folder, access_point, Journal(folder / "journal"))
        ready.leave.write_text("1\n")
        with report.step(f"fill {len(GPUS)} GPUs, and queue {IDLE_JOBS} batch jobs of {len(USERS)} users"):
            ready.fill(load)
        yield ready
    finally:
        for client in clients.values():
            client.close()
        lifecycle.down(settings, graceful_seconds=0)
        shutil.rmtree(pool.layout.folder, ignore_errors=True)


def _environment(pool: RunningPool, user: str) -> dict[str, str]:
    known = pool.environment(user)
    return known | {"MLINFN_USER_HOME": known.get("MLINFN_USER_HOME", str(pool.layout.homes / user))}
