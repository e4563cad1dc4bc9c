"""What HTCondor charged (condor_userprio) and what the report tells: the same, to the second that a match takes."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from driver import Driver, wait_until

from mlinfn_condor.accounting import looking
from mlinfn_condor.accounting.recorder import Recorder
from mlinfn_condor.accounting.reports import Period, answer
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool.apart import PoolApart
from mlinfn_condor.store import connect, migrate

USERS = ("alice", "bob")
RUN_SECONDS, SESSION_SECONDS, LEAVE_SECONDS = 240, 90, 5
"""A match is charged a second before its job starts: no more than half a per cent of these."""


def charged_hours(driver: Driver) -> dict[str, float]:
    """Device-hours of each user, over all classes and projects; all that is claimed has been given back."""
    weight = float(driver.run("condor_config_val", "MLINFN_DEVICE_WEIGHT").stdout)
    words = ("Name", "WeightedAccumulatedUsage", "WeightedResourcesUsed")
    lines = wait_until(
        lambda: _idle(driver.run("condor_userprio", "-negotiator", "-allusers", "-af", *words)), 60, "idle"
    )
    used = [(name.rpartition("@")[0].split("."), usage) for name, usage, _ in lines if "@" in name]
    return {
        user: sum(float(usage) for path, usage in used if path[-1] == user and usage != "undefined") / weight / 3600
        for user in USERS
    }


def _idle(done) -> list[list[str]]:
    lines = [line.split() for line in done.stdout.splitlines()]
    return lines if all(line[2] in ("undefined", "0.0") for line in lines) else []


@pytest.mark.slow
def test_condor_userprio_and_the_report_agree_on_who_used_what(driver: Driver, database: str, monkeypatch) -> None:
    before, since = charged_hours(driver), datetime.now(UTC)
    on_a30 = {"request_gpus": 1, "require_gpus": 'DeviceModel == "A30"'}
    mine = driver.submit(count=4, run_seconds=RUN_SECONDS, request_gpus=1, require_gpus='DeviceModel == "T4"')
    mine += driver.submit(run_seconds=RUN_SECONDS, leave_seconds=LEAVE_SECONDS, **on_a30)
    theirs = driver.submit(PriorityClass.DASK, user="bob", run_seconds=RUN_SECONDS, request_fpgas=1)
    theirs += driver.submit(
        user="bob", run_seconds=RUN_SECONDS, request_gpus=2, require_gpus='DeviceModel == "RTX5000"'
    )
    mine[-1].wait_for("computing")
    theirs += driver.submit(PriorityClass.INTERACTIVE, user="bob", run_seconds=SESSION_SECONDS, **on_a30)
    for payload in mine + theirs:
        payload.wait_for("finished", 2 * RUN_SECONDS + SESSION_SECONDS)
    wait_until(lambda: not any(driver.jobs(each) for each in PriorityClass), 30, "empty queues")
    after = charged_hours(driver)

    for name, value in driver.pool.environment("admin").items():
        monkeypatch.setenv(name, value)
    migrate(database)
    with connect(database, autocommit=True) as connection, asyncio.Runner() as runner:
        pool = PoolApart()
        looking.store(connection, runner.run(pool.ask(looking.look)))
        runner.run(pool.close())
        Recorder(connection, driver.pool.layout.spools).read_all()
        report = answer(connection, "utilisation", Period(since, datetime.now(UTC) + timedelta(minutes=1)), "user")
    told = {str(row["user"]): row for row in report.tables[0].records()}
    # The seconds in which a session waits for its device are charged twice, and told apart here.
    assert told["bob"]["handover_h"] == pytest.approx(LEAVE_SECONDS / 3600, abs=4 / 3600)
    for user in USERS:
        reported = told[user]["claimed_h"] + told[user]["handover_h"]
        assert after[user] - before[user] == pytest.approx(reported, rel=0.01)
