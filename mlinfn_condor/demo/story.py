"""The story: a pool full of training, a session that starts at once, a Dask computation, and nothing lost."""

import time
from dataclasses import dataclass

from rich.console import Console

from mlinfn_condor.demo import accounting, computing, ending, jupyter, records, stage, trainings
from mlinfn_condor.demo.narrator import Narrator
from mlinfn_condor.demo.outcome import DaskOutcome, Outcome, TrainingOutcome
from mlinfn_condor.demo.stage import OWN_JOBS
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.demo.trainings import Training
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.demo.waiting import none_held, wait_until
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import ADMINISTRATOR
from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.local import lifecycle as hubs
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.pool import DeviceKind, JobState, Pool
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.settings import Settings
from mlinfn_condor.submission.devices import HeldDevice

FILL_SECONDS = 90
RECORD_SECONDS = 60
FINISH_SECONDS = 180


class DemoFailed(MlinfnError):
    """The story could not go on; the message names the step, the cause and the logs. The pool is left as it is."""


def run(settings: Settings, report: Report, console: Console | None = None, *, down: bool = False) -> Outcome:
    """Play the story on this user's pool, which stays up unless `down`. Raises DemoFailed."""
    narrator = Narrator(console or Console())
    running: RunningPool | None = None
    try:
        narrator.title("A session that starts at once on a full pool, and nobody's work is lost")
        narrator.chapter("1  A pool on this machine")
        running = lifecycle.up(settings, report)
        hub = hubs.up(settings, report)
        pool = RealPool(running.environment(ADMINISTRATOR))
        recorder = accounting.recorder(running, pool, report)
        outcome = _Story(running, hub, pool, narrator).play()
        narrator.chapter("6  Who used what")
        accounting.tell(recorder, narrator)
    except MlinfnError as error:
        logs = f" (logs of the pool's daemons: {running.layout.log})" if running else ""
        raise DemoFailed(f"the demo stopped at “{narrator.current}”: {error}{logs}") from error
    if down:
        lifecycle.down(settings)
        narrator.say(f"pool {settings.pool} is down")
    else:
        ending.look_around(running, hub, narrator)
    return outcome


@dataclass(frozen=True)
class _Story:
    """The story on a pool that is up. `pool` looks as an administrator; what is done, users do at their terminals."""

    running: RunningPool
    hub: RunningHub
    pool: Pool
    narrator: Narrator

    def play(self) -> Outcome:
        alice, bob, carol = (Terminal(self.running, user) for user in ("alice", "bob", "carol"))
        administrator = Terminal(self.running, ADMINISTRATOR)
        held = self._set_the_stage([alice, bob, carol])
        labels = stage.labels(held)
        began = int(time.time())
        batch = self._fill([alice, bob], sum(one.device.kind is DeviceKind.GPU for one in held))
        self.narrator.chapter("3  A session on the full pool")
        session = jupyter.start(carol, self.pool, self.hub, self.narrator, labels)
        self._show_victim(administrator, began, labels)
        dask = self._compute(carol)
        self.narrator.chapter("5  Who was displaced goes on where it was")
        session.end(self.pool)
        self.narrator.say(f"{carol.user} shuts JupyterLab down: its device goes back to the trainings")
        finished = self._finish(batch)
        displaced = records.outcomes(records.read(administrator, began))
        ending.tell(administrator, displaced, finished, session.outcome, labels, self.narrator)
        records.check(displaced, session.outcome, finished)
        return Outcome(
            self.running.settings.pool,
            self.running.distribution.version,
            len(held),
            sum(one.device.simulated for one in held),
            finished,
            session.outcome,
            dask,
            displaced,
            round(self.narrator.seconds, 1),
        )

    def _set_the_stage(self, users: list[Terminal]) -> list[HeldDevice]:
        """Say what the pool has, and empty it of an earlier story."""
        name, version = self.running.settings.pool, self.running.distribution.version
        how = "was up already" if self.running.found else "is up"
        self.narrator.say(f"Pool {name} {how}: HTCondor {version}, access points batch@ and interactive@, two nodes")
        self.narrator.say(f"Its JupyterHub answers at {self.hub.url}")
        Visitor.sign_in(self.hub, users[-1].user).stop()
        stage.clear(self.pool, users, self.narrator)
        held = stage.devices(self.pool)
        stage.describe(self.pool, held, self.narrator)
        return held

    def _fill(self, users: list[Terminal], gpus: int) -> list[Training]:
        """A training on every GPU, each with something to go on from."""
        self.narrator.chapter("2  Training on every GPU")
        batch = trainings.submit(users, gpus)
        names = " and ".join(user.user for user in users)
        self.narrator.say(f"{names} submit {gpus} trainings of one GPU each: handwritten digits, class batch")

        def all_run() -> bool:
            none_held(self.pool, OWN_JOBS)
            return len([job for job in self.pool.jobs(OWN_JOBS) if job.state is JobState.RUNNING]) == gpus

        with self.narrator.waiting("the trainings start"):
            wait_until(all_run, FILL_SECONDS, f"{gpus} trainings run")
            self.narrator.say(f"All {gpus} run: no GPU is free")
            wait_until(lambda: all(one.saved for one in batch), FILL_SECONDS, "each training has saved an epoch")
        self.narrator.say("Each has saved its first checkpoint")
        return batch

    def _show_victim(self, administrator: Terminal, began: int, labels: dict[str, str]) -> None:
        """The one that left for the session; who it left for is recorded when the session ends."""
        found = wait_until(lambda: records.read(administrator, began), RECORD_SECONDS, "the hand-over is recorded")
        for one in records.outcomes(found):
            devices = ", ".join(labels[device] for device in one.devices)
            self.narrator.say(f"Displaced: {one.victim} of {one.victim_user}, which saved its state and left {devices}")

    def _compute(self, user: Terminal) -> DaskOutcome:
        """Dask on workers that displace what they need."""
        self.narrator.chapter("4  A Dask computation")
        self.narrator.say(
            f"{user.user} runs a script with plain HTCondorCluster: {computing.WORKERS} workers, a GPU each"
        )
        with self.narrator.waiting("trainings make room for the workers, then they compute"):
            done = computing.compute(user, lambda: none_held(self.pool, OWN_JOBS))
        self.narrator.say(f"The workers, class dask, were there after {done.ready_s:.1f} s")
        shares = " and ".join(str(blocks) for blocks in done.blocks_by_worker.values())
        self.narrator.say(
            f"π = {done.area:.12f}, off by {done.error:.1e} of {done.bound:.1e} allowed; blocks: {shares}"
        )
        return done

    def _finish(self, batch: list[Training]) -> list[TrainingOutcome]:
        """Wait until every training has finished, and left the queue; tell who goes on from a checkpoint."""
        told: set[Training] = set()
        with self.narrator.waiting("the trainings finish") as show:

            def all_finished() -> bool:
                none_held(self.pool, OWN_JOBS)
                done = sum(one.finished for one in batch)
                for one in batch:
                    if one not in told and (said := one.resumption):
                        told.add(one)
                        self.narrator.say(f"{one.job} of {one.user} {said}")
                show(f"{done} of {len(batch)} trainings have finished")
                return done == len(batch) and not self.pool.jobs(OWN_JOBS)

            wait_until(all_finished, FINISH_SECONDS, "every training has finished")
        return [one.outcome() for one in batch]
