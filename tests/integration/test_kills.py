"""kill -9 of each daemon while a session and batch run: nothing is lost, nothing runs to its end twice.

What the session itself survives is HTCondor's doing, and stated here and in docs/operations.md, "What survives what".
"""

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import daemons
import pytest
from daemons import Process
from driver import Driver, Payload, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle, processes
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.settings import Settings

INTERACTIVE, BATCH = PriorityClass.INTERACTIVE, PriorityClass.BATCH

LEASE_SECONDS = 40
"""The shipped 40 minutes are no time to wait in a test; more than the 10 s after which a daemon comes back."""
REPORT_SECONDS = 5
"""A new collector knows a slot once it has reported; shipped is a minute."""
FORGET_SECONDS = 30
"""The collector looks for what it may forget every third of this; shipped is HTCondor's 15 minutes."""
OVERRIDES = f"""
MLINFN_JOB_LEASE_SECONDS = {LEASE_SECONDS}
MLINFN_SLOT_REPORT_SECONDS = {REPORT_SECONDS}
CLASSAD_LIFETIME = {FORGET_SECONDS}
"""
RUN_SECONDS = 15
RECOVERY_SECONDS = 180


@dataclass(frozen=True)
class Running:
    """A session and batch on devices of one node, computing."""

    driver: Driver
    settings: Settings
    batch: list[Payload]
    session: Payload

    @property
    def layout(self) -> Layout:
        return self.driver.pool.layout

    def assert_nothing_lost_and_nothing_twice(self) -> None:
        for payload in self.batch:
            payload.wait_for("finished", RECOVERY_SECONDS)
        wait_until(lambda: not self.jobs(BATCH), RECOVERY_SECONDS, "the batch jobs have left the queue")
        assert [sum(event.what == "finished" for event in payload.events()) for payload in self.batch] == [1] * 3
        assert not any(payload.has("double-use") for payload in [*self.batch, self.session])

    def assert_session_lives_on(self) -> None:
        assert [event.what for event in self.session.events()] == ["started", "computing"]
        assert len(daemons.running(self.layout, self.session)) == 1
        mine = [job for job in self.jobs(INTERACTIVE) if job["ClusterId"] == self.session.cluster]
        assert [job["JobStatus"] for job in mine] == [2]

    def assert_session_starts_anew(self) -> None:
        self.session.wait_for("computing", RECOVERY_SECONDS, count=2)
        assert not self.session.has("double-use")
        wait_until(lambda: len(daemons.running(self.layout, self.session)) == 1, 30, "the old session is gone")

    def assert_new_sessions_start(self) -> None:
        new = self.driver.submit(INTERACTIVE, user="carol", run_seconds=1, request_gpus=1)[0]
        new.wait_for("finished", RECOVERY_SECONDS)

    def jobs(self, priority_class: PriorityClass) -> list[dict[str, object]]:
        """An access point that has just come back does not answer at once."""
        asked: list[list[dict[str, object]]] = []

        def ask() -> bool:
            try:
                asked.append(self.driver.jobs(priority_class))
            except AssertionError:
                return False
            return True

        wait_until(ask, RECOVERY_SECONDS, "the access point answers")
        return asked[-1]


@pytest.fixture
def computing(pool_home: Path, tmp_path: Path) -> Iterator[Running]:
    """In a pool of its own, which nobody needs afterwards."""
    settings = Settings(home=Path(tempfile.mkdtemp(prefix="kill-", dir=pool_home)), pool="kill")
    if (pool_home / "htcondor").exists():
        settings.distributions.symlink_to((pool_home / "htcondor").resolve())
    pool = lifecycle.up(settings, blueprint=Blueprint(overrides=OVERRIDES))
    try:
        driver = Driver(pool, tmp_path)
        session = driver.submit(INTERACTIVE, user="bob", request_gpus=1, require_gpus='DeviceModel == "T4"')[0]
        batch = driver.submit(count=3, run_seconds=RUN_SECONDS, request_gpus=1, require_gpus='DeviceModel == "T4"')
        for payload in [session, *batch]:
            payload.wait_for("computing", RECOVERY_SECONDS)
        yield Running(driver, settings, batch, session)
    finally:
        lifecycle.down(settings, graceful_seconds=0)


def test_the_session_lives_on_without_negotiator_collector_and_its_schedd(computing: Running) -> None:
    """The quick one of the kinds below: three at once."""
    layout = computing.layout
    daemons.kill([
        *daemons.daemons(layout, "condor_negotiator"),
        *daemons.daemons(layout, "condor_collector"),
        *daemons.schedd(layout, interactive=True),
    ])  # fmt: skip
    computing.assert_nothing_lost_and_nothing_twice()
    computing.assert_new_sessions_start()
    computing.assert_session_lives_on()


Find = Callable[[Running], list[Process]]

SURVIVED: dict[str, Find] = {
    "negotiator": lambda all_: daemons.daemons(all_.layout, "condor_negotiator"),
    "collector": lambda all_: daemons.daemons(all_.layout, "condor_collector"),
    "schedd of batch": lambda all_: daemons.schedd(all_.layout, interactive=False),
    "schedd of sessions": lambda all_: daemons.schedd(all_.layout, interactive=True),
    "shared port": lambda all_: daemons.daemons(all_.layout, "condor_shared_port"),
    "shadows of batch": lambda all_: [one for job in all_.batch for one in daemons.shadow(all_.layout, job)],
    "starters of batch": lambda all_: [one for job in all_.batch for one in daemons.starter(all_.layout, job)],
}

NOT_SURVIVED: dict[str, Find] = {
    "shadow of the session": lambda all_: daemons.shadow(all_.layout, all_.session),
    "starter of the session": lambda all_: daemons.starter(all_.layout, all_.session),
    "startd": lambda all_: daemons.startd(all_.layout, all_.session),
}


@pytest.mark.slow
@pytest.mark.parametrize("daemon", SURVIVED)
def test_the_session_lives_on_without_the(daemon: str, computing: Running) -> None:
    daemons.kill(SURVIVED[daemon](computing))
    computing.assert_nothing_lost_and_nothing_twice()
    computing.assert_new_sessions_start()
    computing.assert_session_lives_on()


@pytest.mark.slow
@pytest.mark.parametrize("daemon", NOT_SURVIVED)
def test_the_session_starts_anew_without_the(daemon: str, computing: Running) -> None:
    daemons.kill(NOT_SURVIVED[daemon](computing))
    computing.assert_session_starts_anew()
    computing.assert_nothing_lost_and_nothing_twice()
    computing.assert_new_sessions_start()


@pytest.mark.slow
def test_a_pool_whose_master_was_killed_goes_on_after_the_next_up(computing: Running) -> None:
    daemons.kill(daemons.daemons(computing.layout, "condor_master"))
    wait_until(lambda: processes.master(computing.layout) is None, RECOVERY_SECONDS, "the master has ended")
    assert not lifecycle.up(computing.settings, blueprint=Blueprint(overrides=OVERRIDES)).found
    computing.assert_session_starts_anew()
    computing.assert_nothing_lost_and_nothing_twice()
    computing.assert_new_sessions_start()
