"""What the recorder stores of a real pool, beside what the pool really did."""

import asyncio
from collections.abc import Iterator
from typing import Any

import daemons
import pytest
from driver import Driver, Event, Payload, wait_until

from mlinfn_condor.accounting import looking
from mlinfn_condor.accounting.recorder import Recorder
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool.apart import PoolApart
from mlinfn_condor.store import Connection, connect, migrate

INTERACTIVE, BATCH = PriorityClass.INTERACTIVE, PriorityClass.BATCH
CLOCK_SECONDS = 3
"""HTCondor counts whole seconds, and a start and an end take their time."""
RECORD_SECONDS = 60
RECOVERY_SECONDS = 180

MOST_AT_ONCE = """
WITH held AS (
    SELECT from_at, to_at FROM mlinfn.holdings('-infinity', 'infinity') WHERE device = %s AND to_at > from_at
),
steps AS (SELECT from_at AS at, 1 AS step FROM held UNION ALL SELECT to_at, -1 FROM held)
SELECT max(n) AS most FROM (SELECT sum(step) OVER (ORDER BY at, step) AS n FROM steps) AS levels
"""
"""Holders of a device in one moment."""


class Recorded:
    """The recorder, and what stands in its database."""

    def __init__(self, driver: Driver, connection: Connection, runner: asyncio.Runner) -> None:
        self._connection = connection
        self._recorder = Recorder(connection, driver.pool.layout.spools)
        # Other tests of this process speak to the pool as somebody else, and one process has one identity.
        self._runner, self._pool = runner, PoolApart()

    def look(self) -> None:
        looking.store(self._connection, self._runner.run(self._pool.ask(looking.look)))

    def close(self) -> None:
        self._runner.run(self._pool.close())

    def look_until_it_runs(self, payload: Payload) -> None:
        query = "SELECT FROM mlinfn.running WHERE access_point = %s AND cluster = %s"

        def seen() -> bool:
            self.look()
            return bool(self.rows(query, payload.priority_class.access_point, payload.cluster))

        wait_until(seen, RECORD_SECONDS, f"{payload.cluster} to be seen running")

    def attempts(self, payload: Payload, count: int) -> list[dict[str, Any]]:
        """Of this payload, the first one first, as soon as there are so many."""
        return wait_until(
            lambda: found if len(found := self.read(payload)) == count else [],
            RECORD_SECONDS,
            f"{count} attempts of {payload.cluster}",
        )

    def read(self, payload: Payload) -> list[dict[str, Any]]:
        self._recorder.read_all()
        return self.rows(
            "SELECT *, extract(epoch FROM started_at)::bigint AS s, extract(epoch FROM ended_at)::bigint AS e"
            " FROM mlinfn.attempt_known WHERE access_point = %s AND cluster = %s ORDER BY started_at",
            payload.priority_class.access_point,
            payload.cluster,
        )

    def rows(self, query: str, *values: object) -> list[dict[str, Any]]:
        cursor = self._connection.execute(query, values)  # type: ignore[call-overload]
        names = [column.name for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor]


@pytest.fixture
def recorded(driver: Driver, database: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Recorded]:
    for name, value in driver.pool.environment("admin").items():
        monkeypatch.setenv(name, value)
    migrate(database)
    with connect(database, autocommit=True) as connection, asyncio.Runner() as runner:
        recorded = Recorded(driver, connection, runner)
        yield recorded
        recorded.close()


def assert_is(attempt: dict[str, Any], payload: Payload, computing: Event, end: float, outcome: str) -> None:
    """The row says who ran where on what, and from when to when."""
    user = "bob" if payload.priority_class is INTERACTIVE else "alice"
    assert (attempt["outcome"], attempt["class"], attempt["username"]) == (outcome, payload.priority_class.value, user)
    assert tuple(attempt["devices"]) == computing.devices
    assert attempt["project"]
    assert attempt["slot"].startswith("slot")
    assert all(attempt["node"] in device for device in computing.devices), "a simulated device names its node"
    assert attempt["s"] <= computing.when + CLOCK_SECONDS
    assert attempt["e"] == pytest.approx(end, abs=CLOCK_SECONDS + 2)


def test_jobs_that_complete_fail_and_are_removed(driver: Driver, recorded: Recorded) -> None:
    on_t4 = {"request_gpus": 1, "require_gpus": 'DeviceModel == "T4"'}
    completes = driver.submit(run_seconds=4, **on_t4)[0]
    fails = driver.submit(executable="/bin/sh", arguments="\"-c 'sleep 4; exit 3'\"", **on_t4)[0]
    removed = driver.submit(**on_t4)[0]
    computing = removed.wait_for("computing")
    driver.run("condor_rm", "-name", BATCH.access_point, str(removed.cluster))
    end = removed.wait_for("left").when
    (row,) = recorded.attempts(removed, 1)
    assert_is(row, removed, computing, end, "removed")
    assert row["lost_s"] == 0
    finished = completes.wait_for("finished").when
    (row,) = recorded.attempts(completes, 1)
    assert_is(row, completes, completes.wait_for("computing"), finished, "completed")
    assert (row["lost_s"], row["run"]) == (0, 1)
    (row,) = recorded.attempts(fails, 1)
    assert (row["outcome"], row["lost_s"]) == ("failed", row["e"] - row["s"])
    (exit_code,) = recorded.rows("SELECT exit_code FROM mlinfn.attempt WHERE cluster = %s", fails.cluster)
    assert exit_code["exit_code"] == 3
    wait_until(lambda: not driver.jobs(BATCH), 30, "an empty queue")
    recorded.attempts(completes, 1)
    jobs = {
        row["cluster"]: (row["status"], row["exit_code"], row["starts"])
        for row in recorded.rows("SELECT * FROM mlinfn.job WHERE cluster >= %s", completes.cluster)
        if row["access_point"] == BATCH.access_point
    }
    assert jobs[completes.cluster] == ("completed", 0, 1)
    assert jobs[fails.cluster] == ("completed", 3, 1)
    assert jobs[removed.cluster][0] == "removed"


@pytest.mark.parametrize("saves", [True, False])
def test_a_displaced_attempt_loses_what_it_did_not_save(saves: bool, driver: Driver, recorded: Recorded) -> None:
    """One ends by itself within its window; the other has none, and a signal ends it."""
    lines: dict[str, object] = {} if saves else {"leave_seconds": 3600, "job_max_vacate_time": 2}
    batch = driver.fill_devices(**lines)
    session = driver.submit(INTERACTIVE, user="bob", request_gpus=1, require_gpus='DeviceModel == "A100"')[0]
    session_computing = session.wait_for("computing", 60)
    (victim,) = [payload for payload in batch if payload.has("asked-to-leave")]
    computing = victim.wait_for("computing")
    recorded.look_until_it_runs(session)
    (row,) = wait_until(
        lambda: [row for row in recorded.read(victim) if row["outcome"] == "displaced"], RECORD_SECONDS, "its record"
    )
    end = victim.wait_for("left").when if saves else session_computing.when
    assert_is(row, victim, computing, end, "displaced")
    assert row["lost_s"] == (0 if saves else row["e"] - row["s"])
    driver.run("condor_rm", "-name", INTERACTIVE.access_point, str(session.cluster), user="bob")
    left = session.wait_for("left", 60).when
    wait_until(lambda: recorded.read(session)[0]["outcome"] == "removed", RECORD_SECONDS, "the session's record")
    (mine,) = recorded.attempts(session, 1)
    assert_is(mine, session, session_computing, left, "removed")
    # Each second of the device once: from the victim's start to the session's end.
    (device,) = computing.devices
    query = (
        "SELECT sum(claimed_s) AS s, min(from_at) AS b, max(to_at) AS e FROM mlinfn.holdings('-infinity', 'infinity')"
        " WHERE device = %s AND from_at >= %s AND to_at <= %s"
    )
    (held,) = recorded.rows(query, device, row["started_at"], mine["ended_at"])
    assert held["s"] <= (held["e"] - held["b"]).total_seconds() + 1e-6
    assert held["s"] == pytest.approx(mine["e"] - row["s"], abs=2 * CLOCK_SECONDS)


@pytest.mark.parametrize("killed", ["shadow", "schedd"])
def test_a_daemon_that_is_killed_loses_and_doubles_no_second(killed: str, driver: Driver, recorded: Recorded) -> None:
    layout = driver.pool.layout
    (payload,) = driver.submit(run_seconds=15, request_gpus=1, require_gpus='DeviceModel == "T4"')
    first = payload.wait_for("computing")
    recorded.look_until_it_runs(payload)
    daemons.kill(daemons.shadow(layout, payload) if killed == "shadow" else daemons.schedd(layout, interactive=False))
    finished = payload.wait_for("finished", RECOVERY_SECONDS)
    wait_until(lambda: answers(driver, payload), RECOVERY_SECONDS, "the job has left the queue")
    completed = wait_until(
        lambda: [row for row in recorded.read(payload) if row["outcome"] == "completed"], RECORD_SECONDS, "its record"
    )
    assert len(completed) == 1
    assert completed[0]["e"] == pytest.approx(finished.when, abs=CLOCK_SECONDS + 10)
    known = recorded.read(payload)
    ran = [event.when for event in payload.events() if event.what == "computing"]
    assert len(known) == len(ran), "one row for each time that it ran"
    for row, when in zip(known, ran, strict=True):
        assert row["s"] <= when + CLOCK_SECONDS
        assert row["e"] >= int(when)
    (device,) = first.devices
    (held,) = recorded.rows(MOST_AT_ONCE, device)
    assert held["most"] == 1


def answers(driver: Driver, payload: Payload) -> bool:
    """Whether the job is no more; an access point that has just come back does not say so at once."""
    try:
        return not driver.jobs(BATCH, f"ClusterId == {payload.cluster}")
    except AssertionError:
        return False
