"""Schedules over a real pool and a real PostgreSQL: whoever is killed wherever, each due time has one job."""

import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from random import Random

import pytest
from driver import Driver, wait_until

from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.runs import Key
from mlinfn_condor.schedules.submitting import DSN_VARIABLE, ON_BEHALF
from mlinfn_condor.store import connect, migrate

SEED, KILLS = 20261125, 3
SUBMIT_SECONDS, END_SECONDS = 45, 90
KILLED = """
import os, signal
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.schedules.submitting import main
submit = RealPool.submit
def killed(*given):
    if WHERE == "after":
        submit(*given)
    os.kill(os.getpid(), signal.SIGKILL)
RealPool.submit = killed
main()
"""


class Site:
    """`mlinfn schedule …` of one person, and as many schedulers as a test starts."""

    def __init__(self, driver: Driver, dsn: str) -> None:
        self.driver, self.dsn = driver, dsn
        self.started: list[subprocess.Popen[bytes]] = []
        self.environment = os.environ | driver.pool.environment("alice") | {
            "MLINFN_DATABASE": dsn, DSN_VARIABLE: dsn, "MLINFN_SCHEDULES_LEAST_SECONDS": "1",
            "MLINFN_SCHEDULES_LOOK_SECONDS": "0.5", "MLINFN_SCHEDULES_SETTLE_SECONDS": "1",
        }  # fmt: skip

    def mlinfn(self, *words: str) -> str:
        command = [sys.executable, "-m", "mlinfn_condor.cli", "schedule", *words]
        done = subprocess.run(
            command, env=self.environment, cwd=self.driver.folder, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self) -> "subprocess.Popen[bytes]":
        command = [sys.executable, "-m", "mlinfn_condor.cli", "schedule", "serve"]
        with (self.driver.folder / "serve.log").open("ab") as log:
            self.started.append(subprocess.Popen(command, env=self.environment, stdout=log, stderr=log))
        return self.started[-1]

    def kill_leader(self) -> None:
        """The one that was started first and lives: the others wait for it."""
        leader = self.started.pop(0)
        leader.kill()
        leader.wait()

    def submit(self, key: Key, where: str | None = None, on_behalf_by: str | None = None) -> int:
        words = ["-m", "mlinfn_condor.schedules.submitting"]
        if where:
            words = ["-c", f"WHERE = {where!r}\n{KILLED}"]
        given = [str(key.schedule), key.due_at.isoformat(), str(key.attempt)]
        environment = self.environment
        if on_behalf_by:
            given.append(ON_BEHALF)
            environment = environment | self.driver.pool.environment(on_behalf_by)
        return subprocess.run([sys.executable, *words, *given], env=environment, check=False).returncode

    def history(self) -> list[dict[str, object]]:
        return json.loads(self.mlinfn("history", "--json", "--limit", "1000"))

    def jobs(self) -> Counter[str]:
        """How many jobs each run has, in the queue and past it."""
        mine = ["-name", "batch@", "-constraint", "MlinfnRun isnt undefined", "-af", "MlinfnRun", "Owner", "ClusterId"]
        lines = (self.driver.run(tool, *mine).stdout.splitlines() for tool in ("condor_q", "condor_history"))
        # As a set: one that ends between the two questions is told of by both.
        found = {tuple(line.split()) for each in lines for line in each}
        assert {owner for _, owner, _ in found} <= {"alice"}
        return Counter(mark for mark, *_ in found)


@pytest.fixture
def site(driver: Driver, database: str) -> Iterator[Site]:
    migrate(database)
    site = Site(driver, database)
    yield site
    for process in site.started:
        process.kill()
        process.wait()


@pytest.mark.parametrize("where", ["before", "after"])
def test_a_submit_that_is_killed_is_done_once(site: Site, where: str) -> None:
    site.mlinfn("add", "--every", "3600", "often", "true")
    site.mlinfn("run-now", "often")
    with connect(site.dsn, autocommit=True) as connection:
        (run,) = Book(connection).open_runs()
        assert site.submit(run.key, where) == -signal.SIGKILL
        assert site.jobs()[run.key.mark] == (1 if where == "after" else 0)
        assert Book(connection).open_runs()[0].state == "submitting"
        wait_until(lambda: site.submit(run.key) == 0, SUBMIT_SECONDS, "a submit that is not killed")
        assert site.jobs()[run.key.mark] == 1
        assert Book(connection).open_runs()[0].state == "submitted"


def test_schedulers_that_are_killed_run_each_due_time_once(site: Site) -> None:
    begin, seeded = len(site.jobs()), Random(SEED)
    site.mlinfn("add", "--every", "3", "--overlap", "--misfire", "all", "--catch-up", "1000", "often", "true")
    site.serve()
    site.serve()
    with connect(site.dsn, autocommit=True) as connection:

        def states() -> Counter[str]:
            return Counter(str(row[4]) for row in Book(connection).history("alice", "often", 1000))

        for _ in range(KILLS):
            before = states()["submitted"] + states()["done"]
            wait_until(lambda: states().total() > before, SUBMIT_SECONDS, "another run")  # noqa: B023 - called at once
            time.sleep(seeded.uniform(0.0, 1.5))  # the moment is what is tried, nothing is waited for
            site.kill_leader()
            site.serve()
        wait_until(lambda: states()["done"] >= 2, END_SECONDS, "two runs that are done")
        site.mlinfn("remove", "often")
        wait_until(lambda: not states().keys() - {"done", "skipped"}, END_SECONDS, "the end of all runs")
        done = states()["done"]
        due = sorted(row[2] for row in Book(connection).history("alice", "often", 1000))
    assert {(second - first).total_seconds() for first, second in pairwise(due)} <= {3.0}, "no gap"
    jobs = site.jobs()
    assert len(jobs) - begin == done
    assert set(jobs.values()) == {1}


def test_a_run_is_told_of_from_its_due_time_to_its_end(site: Site, tmp_path: Path) -> None:
    when = ("--cron", "30 2 * * *", "--zone", "Europe/Rome")
    site.mlinfn("add", *when, "nightly", "sh", "-c", f"echo $MLINFN_RUN > {tmp_path}/said")
    assert "alice nightly: cron 30 2 * * * Europe/Rome, next " in site.mlinfn("list")
    site.mlinfn("run-now", "nightly")
    serving = site.serve()
    wait_until(lambda: site.history()[0]["state"] == "done", END_SECONDS, "the end of its job")
    assert (tmp_path / "said").read_text().strip() in site.jobs()
    serving.terminate()
    assert serving.wait(timeout=20) == 0


def test_an_identity_that_is_trusted_submits_in_the_owners_name_and_another_does_not(site: Site) -> None:
    """The embedded pool's `admin` may at `batch@` what a site's MLINFN_SCHEDULERS may."""
    site.mlinfn("add", "--every", "3600", "often", "true")
    with connect(site.dsn, autocommit=True) as connection:
        book = Book(connection)
        (schedule,) = book.schedules("alice")
        for who, state in (("admin", "submitted"), ("bob", "refused")):
            site.mlinfn("run-now", "often")
            run = next(run for run in book.open_runs() if run.state == "due")
            site.submit(run.key, on_behalf_by=who)
            assert book.history("alice", "often", 1)[0][4] == state
            assert site.jobs()[run.key.mark] == (1 if who == "admin" else 0)  # and whose they are is looked at there
    assert schedule.owner == "alice"
