"""Schedules in a real PostgreSQL, over a pool in memory and a clock that the test holds."""

import subprocess
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random

import pytest
from postgres import fresh_database

from mlinfn_condor.errors import BadRequest, MlinfnError, PoolUnavailable
from mlinfn_condor.pool import JobId
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.schedules import declared
from mlinfn_condor.schedules.arrivals import EVERYTHING, position
from mlinfn_condor.schedules.asking import Wish, add
from mlinfn_condor.schedules.book import Book
from mlinfn_condor.schedules.planning import Misfire
from mlinfn_condor.schedules.repositories import tip
from mlinfn_condor.schedules.runs import Key
from mlinfn_condor.schedules.scheduler import Scheduler
from mlinfn_condor.schedules.settings import SchedulesSettings
from mlinfn_condor.schedules.submitting import submit
from mlinfn_condor.store import Error, connect, migrate
from mlinfn_condor.store.local import LocalServer
from mlinfn_condor.submission.requests import TrainingRequest

BEGIN = datetime(2026, 3, 1, tzinfo=UTC)
SETTINGS = SchedulesSettings()


class Site:
    """A scheduler with everything around it."""

    def __init__(self, dsn: str, folder: Path) -> None:
        self.dsn, self.pool, self.now, self.said = dsn, TwinPool(), BEGIN, []
        self.request = TrainingRequest(command=["python", "train.py"], folder=folder)
        self.connection = connect(dsn, autocommit=True)
        self.connection.execute("SET ROLE mlinfn_schedules")
        self.book = Book(self.connection)
        self.away = False
        self.scheduler = Scheduler(
            self.book, lambda: self.pool, self.submit, SETTINGS, self.said.append, lambda: self.now
        )

    def submit(self, key: Key, owner: str) -> None:
        if self.away:
            raise PoolUnavailable("batch@ did not answer")
        with connect(self.dsn, autocommit=True) as connection:
            submit(Book(connection), self.pool, key, on_behalf=False, settle_seconds=0)

    def add(self, **wish: object) -> int:
        given = {"owner": "alice", "name": "nightly", "kind": "every", "spec": "600", "request": self.request} | wish
        return add(self.book, Wish(**given), SETTINGS, self.now)

    def turn(self, minutes: float = 0) -> None:
        self.now += timedelta(minutes=minutes)
        self.scheduler.turn()

    def finish(self, exit_code: int = 0) -> None:
        for job in self.pool.jobs():
            self.pool.finish(job.id, exit_code)

    def states(self) -> list[str]:
        return [row[4] for row in reversed(self.book.history(None, None, 100))]


@pytest.fixture(scope="module")
def migrated(postgres: LocalServer) -> Iterator[str]:
    """One database for all tests of this file: each begins with an empty book."""
    with fresh_database(postgres) as dsn:
        migrate(dsn)
        yield dsn


@pytest.fixture
def site(migrated: str, tmp_path: Path) -> Iterator[Site]:
    with connect(migrated, autocommit=True) as connection:
        connection.execute("TRUNCATE mlinfn_schedule.schedule, mlinfn_schedule.run")
    site = Site(migrated, tmp_path)
    yield site
    site.connection.close()


def test_each_due_time_becomes_one_job_that_carries_its_mark(site: Site) -> None:
    number = site.add()
    for _ in range(31):
        site.turn(minutes=1)
        site.turn()
        site.finish()
    marks = sorted(job.ad["MlinfnRun"] for job in site.pool.history())
    assert marks == [f"{number}/2026-03-01T00:{minute}:00.000000Z/0" for minute in (10, 20, 30)]
    assert site.states() == ["done", "done", "done"]


def test_a_run_waits_for_the_one_before_and_the_newest_stands_for_all(site: Site) -> None:
    site.add()
    site.turn(minutes=10)
    site.turn(minutes=10)
    site.turn(minutes=10)
    assert site.states() == ["submitted", "skipped", "due"]
    site.finish()
    site.turn()
    assert site.states() == ["done", "skipped", "submitted"]


def test_what_was_missed_while_nobody_was_there_runs_once_and_is_told(site: Site) -> None:
    site.add()
    site.turn(minutes=65)
    assert site.states() == ["submitted"]
    assert "schedules: alice's nightly: 5 due times were missed" in site.said


def test_all_that_was_missed_runs_one_after_the_other(site: Site) -> None:
    site.add(misfire=Misfire.ALL, catch_up=3)
    site.turn(minutes=65)
    for _ in range(5):
        site.finish()
        site.turn()
    assert site.states() == ["done", "done", "done"]


def test_a_run_that_fails_is_tried_again_and_not_for_ever(site: Site) -> None:
    site.add(retries=2, retry_pause=60)
    site.turn(minutes=10)
    for pause in (1, 2):
        site.finish(exit_code=3)
        site.turn()
        site.turn(minutes=pause - 0.1)
        assert site.states()[-1] == "due"
        site.turn(minutes=0.2)
        assert site.states()[-1] == "submitted"
    site.finish(exit_code=3)
    site.turn()
    assert site.states() == ["failed", "failed", "failed"]
    assert site.book.history("alice", "nightly", 1)[0][7] == "exit code 3"


def test_a_pool_that_is_away_costs_no_run(site: Site) -> None:
    site.add()
    site.away = True
    site.turn(minutes=10)
    site.turn()
    assert [text for text in site.said if "trying again" in text] == [
        "schedules: cannot submit for alice, trying again: batch@ did not answer"
    ]
    site.away = False
    site.turn()
    assert site.states() == ["submitted"]


def test_a_job_that_is_refused_says_why_in_the_history(site: Site) -> None:
    site.pool = TwinPool(refusals={'PriorityClass == "dask"': "This access point takes dask."})
    site.add()
    site.turn(minutes=10)
    assert [(row[4], row[7]) for row in site.book.history(None, None, 9)] == [
        ("refused", "This access point takes dask.")
    ]


def test_a_submit_that_was_interrupted_is_found_and_not_done_twice(site: Site) -> None:
    site.add()
    lost = site.pool.submit

    def taken_but_not_told(*given: object) -> JobId:
        lost(*given)
        raise PoolUnavailable("the line was cut")

    site.pool.submit = taken_but_not_told
    site.turn(minutes=10)
    assert site.states() == ["submitting"]
    site.pool.submit = lost
    site.finish()
    site.turn()
    assert site.states() == ["submitted"]
    site.turn()
    assert site.states() == ["done"]
    assert len(site.pool.history()) == 1


def test_somebody_elses_job_with_the_same_mark_is_not_taken_for_it(site: Site) -> None:
    number = site.add()
    site.away = True
    site.turn(minutes=10)
    (run,) = site.book.open_runs()
    site.book.change(run.key, "due", "submitting")
    forged = f'executable = x\n+MlinfnRun = "{number}/2026-03-01T00:10:00.000000Z/0"\nqueue'
    site.pool.user = "mallory"
    site.pool.submit(forged, "batch@")
    site.pool.user, site.away = "alice", False
    site.turn()
    assert [job.user for job in site.pool.jobs()] == ["mallory", "alice"]


def test_while_somebody_works_on_a_run_nobody_else_does(site: Site) -> None:
    site.add()
    site.away = True
    site.turn(minutes=10)
    (run,) = site.book.open_runs()
    with connect(site.dsn, autocommit=True) as other:
        assert Book(other).holds(run.key)
        site.away = False
        site.turn()
        assert site.states() == ["due"]
    site.turn()
    assert site.states() == ["submitted"]


def test_two_schedulers_that_see_the_same_plan_it_once(site: Site) -> None:
    site.add()
    (seen,) = site.book.schedules()
    site.away = True
    site.turn(minutes=10)
    from mlinfn_condor.schedules.planning import plan

    assert not site.book.write_plan(seen, plan(seen.rule, seen.lateness, seen.planned_until, site.now))
    assert site.states() == ["due"]
    with connect(site.dsn, autocommit=True) as other:
        assert site.book.leads()
        assert not Book(other).leads()


def test_a_removed_schedule_is_never_due_again_and_its_name_is_free(site: Site) -> None:
    site.add()
    site.away = True
    site.turn(minutes=10)
    site.book.remove("alice", "nightly")
    site.turn(minutes=60)
    assert site.states() == ["skipped"]
    site.add()
    with pytest.raises(BadRequest, match="has no schedule weekly"):
        site.book.remove("alice", "weekly")


def test_wishes_that_cannot_be_are_refused_all_mistakes_at_once(site: Site) -> None:
    with pytest.raises(BadRequest, match=r"retries is -1: at least 0; name is 'Nightly!'.*; every: due every 5 s"):
        site.add(name="Nightly!", retries=-1, spec="5")
    site.add()
    with pytest.raises(BadRequest, match="has a schedule nightly already"):
        site.add()
    for number in range(SETTINGS.per_user - 1):
        site.add(name=f"more-{number}")
    with pytest.raises(BadRequest, match="20 schedules, which is all one may have"):
        site.add(name="one-more")
    site.add(owner="bob")


def test_the_role_of_the_schedules_sees_nothing_else_and_nobody_else_sees_them(site: Site) -> None:
    with pytest.raises(Error, match="permission denied"):
        site.connection.execute("SELECT FROM mlinfn.attempt")
    for role in ("mlinfn_recorder", "mlinfn_reports"):
        with connect(site.dsn, autocommit=True) as connection:
            connection.execute(f"SET ROLE {role}")
            with pytest.raises(Error, match="permission denied"):
                connection.execute("SELECT FROM mlinfn_schedule.schedule")


def test_jitter_delays_a_run_by_the_same_for_everybody(site: Site) -> None:
    site.add(jitter=300)
    site.away = True
    site.turn(minutes=10)
    (run,) = site.book.open_runs()
    assert timedelta(0) <= run.start_at - run.key.due_at <= timedelta(minutes=5)
    assert replace(run.key).mark == run.key.mark


WRITERS, STEPS, SEED = 5, 250, 20261125


@pytest.fixture
def readings(site: Site) -> Iterator[Site]:
    with connect(site.dsn, autocommit=True) as owner:
        owner.execute("CREATE TABLE reading (number serial PRIMARY KEY, becquerel real NOT NULL DEFAULT 0)")
        owner.execute("INSERT INTO reading (becquerel) SELECT 1 FROM generate_series(1, 7)")
        owner.execute("SELECT mlinfn_schedule.watch('reading')")
    yield site
    with connect(site.dsn, autocommit=True) as owner:
        owner.execute("DROP TABLE reading")


def train(site: Site, exit_code: int = 0) -> list[int]:
    """What the job that runs reads now, as it would; then it ends."""
    with connect(site.dsn, autocommit=True) as owner:
        rows = owner.execute(
            "SELECT number FROM mlinfn_schedule.run r JOIN reading ON mlinfn_schedule.is_new("
            "written_by, since::pg_snapshot, until::pg_snapshot) WHERE r.state = 'submitted' ORDER BY number"
        ).fetchall()
    running = bool(site.pool.jobs())
    site.finish(exit_code)
    site.turn()
    return [row[0] for row in rows] if running and exit_code == 0 else []


def test_rows_that_are_there_are_old_unless_one_wants_them(readings: Site) -> None:
    now = readings.book.snapshot()
    assert readings.book.count_new("reading", now, now) == 0
    assert readings.book.count_new("reading", EVERYTHING, now) == 7


def test_each_row_is_in_one_run_however_its_transaction_ends(readings: Site) -> None:
    seeded = Random(SEED)
    readings.add(kind="rows", spec="reading", least=2, mark=readings.book.snapshot(), retries=1)
    writers = [connect(readings.dsn) for _ in range(WRITERS)]
    trained: list[int] = []
    for _ in range(STEPS):
        writer = seeded.choice(writers)
        match seeded.choice(
            ["insert", "insert", "insert", "commit", "commit", "rollback", "turn", "turn", "end", "fail"]
        ):
            case "insert":
                writer.execute("INSERT INTO reading DEFAULT VALUES")
            case "commit":
                writer.commit()
            case "rollback":
                writer.rollback()
            case "turn":
                readings.turn(minutes=1)
            case "end":
                readings.turn(minutes=1)  # so that the job reads while others still write
                trained += train(readings)
            case "fail":
                train(readings, exit_code=1)
    for writer in writers:
        writer.commit()
        writer.execute("INSERT INTO reading SELECT FROM generate_series(1, 3)")
        writer.commit()
        writer.close()
    for _ in range(6):
        readings.turn(minutes=2)
        trained += train(readings)
    with connect(readings.dsn, autocommit=True) as owner:
        there = [row[0] for row in owner.execute("SELECT number FROM reading WHERE becquerel = 0 ORDER BY number")]
    assert len(there) > STEPS / 6
    assert sorted(trained) == there
    assert readings.states().count("done") >= 10
    assert "failed" in readings.states()


def test_what_an_older_cluster_wrote_is_old_and_what_comes_is_new_in_a_younger_one(readings: Site) -> None:
    """As after a restore: rows and marks bear numbers that this cluster has not given away yet."""
    with connect(readings.dsn, autocommit=True) as owner:
        (given,) = owner.execute("SELECT pg_current_xact_id()::text::bigint").fetchone()
        owner.execute("UPDATE reading SET written_by = %s::text::xid8", [str(given + 3000)])
        owner.execute("INSERT INTO reading (written_by) VALUES (%s::text::xid8)", [str(given + 5000)])
        mark = f"{given + 4000}:{given + 4500}:{given + 4100}"
        readings.add(kind="rows", spec="reading", least=2, mark=mark)
        owner.execute("CALL mlinfn_schedule.outlast()")
        readings.turn(minutes=1)
        assert train(readings) == []  # one alone is no run yet
        owner.execute("INSERT INTO reading (number) VALUES (100)")
        readings.turn(minutes=1)
        assert train(readings) == [8, 100]
        readings.turn(minutes=1)
        assert train(readings) == []


def test_a_transaction_that_stays_open_holds_nobody_up_and_is_not_lost(readings: Site) -> None:
    readings.add(kind="rows", spec="reading", least=2, mark=readings.book.snapshot())
    with connect(readings.dsn) as slow, connect(readings.dsn, autocommit=True) as quick:
        slow.execute("INSERT INTO reading (number) VALUES (100)")
        quick.execute("INSERT INTO reading (number) VALUES (101), (102)")
        readings.turn()
        assert train(readings) == [101, 102]
        slow.commit()
        quick.execute("INSERT INTO reading (number) VALUES (103)")
    readings.turn(minutes=1)
    assert train(readings) == [100, 103]


def test_a_run_that_failed_for_good_is_not_repeated_until_there_is_more(readings: Site) -> None:
    readings.add(kind="rows", spec="reading", least=3, at_latest=600, mark=EVERYTHING)
    readings.turn()
    readings.finish(exit_code=1)
    readings.turn(minutes=30)
    assert readings.states() == ["failed"]
    with connect(readings.dsn, autocommit=True) as owner:
        owner.execute("INSERT INTO reading DEFAULT VALUES")
    readings.turn()
    assert len(train(readings)) == 8, "what the failed run was for is in the next one"
    assert readings.states() == ["failed", "done"]


def test_run_now_beside_a_run_takes_no_row_twice(readings: Site) -> None:
    readings.add(kind="rows", spec="reading", mark=EVERYTHING)
    readings.turn()
    (schedule,) = readings.book.schedules()
    with connect(readings.dsn, autocommit=True) as owner:
        owner.execute("INSERT INTO reading DEFAULT VALUES")
    readings.book.run_now(schedule, readings.now + timedelta(seconds=1), readings.book.snapshot())
    trained = train(readings)
    readings.turn(minutes=1)
    trained += train(readings)
    assert readings.states() == ["done", "done"]
    assert sorted(trained) == list(range(1, 9))


def test_a_table_that_is_gone_keeps_no_other_schedule(readings: Site) -> None:
    readings.add(kind="rows", spec="no_table", name="broken", mark=EVERYTHING)
    readings.add()
    readings.turn(minutes=10)
    assert readings.states() == ["submitted"]
    assert any("no_table" in text for text in readings.said)


def test_the_scheduler_may_count_rows_and_not_read_them(readings: Site) -> None:
    with pytest.raises(Error, match="permission denied"):
        readings.connection.execute("SELECT becquerel FROM reading")


def test_each_commit_is_in_one_run(site: Site, tmp_path: Path) -> None:
    folder = tmp_path / "repository"

    def git(*words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@example.org"]
        return subprocess.run(["git", "-C", folder, *who, *words], check=True, capture_output=True, text=True).stdout

    def commit() -> str:
        git("commit", "-q", "--allow-empty", "-m", "more")
        return git("rev-parse", "HEAD").strip()

    folder.mkdir()
    git("init", "-q", "-b", "main")
    spec = f"{folder} main"
    first = commit()
    site.add(kind="commits", spec=spec, mark=position(site.book, "commits", spec))
    site.turn(minutes=2)
    assert site.states() == []
    second, third = commit(), commit()
    site.turn(minutes=2)
    fourth = commit()
    for _ in range(3):
        site.finish()
        site.turn(minutes=2)
    rows = site.connection.execute("SELECT since, until FROM mlinfn_schedule.run ORDER BY due_at").fetchall()
    assert rows == [(first, third), (third, fourth)]
    assert second in git("rev-list", f"{first}..{third}")


def test_an_address_that_git_would_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MlinfnError, match="ext"):
        tip(f"ext::sh${{IFS}}-c${{IFS}}touch${{IFS}}{tmp_path}/run main")
    assert not (tmp_path / "run").exists()
    with pytest.raises(BadRequest, match="no address and branch"):
        tip("--upload-pack=touch main")


DECLARED = """
[[schedules]]
owner = "alice"
name = "nightly"
cron = "30 2 * * *"
zone = "Europe/Rome"
command = ["python", "train.py"]
folder = "{folder}"

[[schedules]]
owner = "bob"
name = "hourly"
every = 3600
command = ["python", "look.py"]
folder = "{folder}"

[pool]
projects = ["alpha"]
"""


def apply(site: Site, text: str, folder: Path) -> declared.Changes:
    file = folder / "site.toml"
    file.write_text(text.replace("{folder}", str(folder)))
    found = declared.compare(site.book, declared.read(file, "site"), "site", SETTINGS, site.now)
    declared.apply(site.book, found, SETTINGS)
    return found


def test_a_file_makes_the_schedules_so_and_again_changes_nothing(site: Site, tmp_path: Path) -> None:
    site.add(name="by-hand")
    assert len(apply(site, DECLARED, tmp_path).add) == 2
    assert not apply(site, DECLARED, tmp_path)
    names = [(each.owner, each.name) for each in site.book.schedules()]
    assert names == [("alice", "by-hand"), ("alice", "nightly"), ("bob", "hourly")]


def test_a_declared_schedule_that_changes_keeps_its_number_and_its_history(site: Site, tmp_path: Path) -> None:
    apply(site, DECLARED, tmp_path)
    before = site.book.schedules("bob")[0]
    site.turn(minutes=61)
    changed = apply(
        site, DECLARED.replace("look.py", "look.py, --twice").replace("every = 3600", "every = 1800"), tmp_path
    )
    after = site.book.schedules("bob")[0]
    assert [each["name"] for each in changed.change] == ["hourly"]
    assert (after.number, after.spec, after.added_at) == (before.number, "1800", site.now)
    assert site.book.history("bob", "hourly", 10)


def test_what_a_file_has_no_more_is_removed_and_what_was_added_by_hand_stays(site: Site, tmp_path: Path) -> None:
    site.add(name="by-hand")
    apply(site, DECLARED, tmp_path)
    assert sorted(apply(site, "", tmp_path).remove) == [("alice", "nightly"), ("bob", "hourly")]
    assert [each.name for each in site.book.schedules()] == ["by-hand"]


def test_a_file_with_mistakes_changes_nothing_and_tells_all_of_them(site: Site, tmp_path: Path) -> None:
    site.add(name="nightly")
    with pytest.raises(BadRequest, match="alice's nightly: added by hand"):
        apply(site, DECLARED, tmp_path)
    wrong = DECLARED.replace("Europe/Rome", "Europe/Room").replace("every = 3600", "every = 3")
    with pytest.raises(BadRequest, match=r"no time zone 'Europe/Room'.*bob's hourly: every: due every 3 s"):
        apply(site, wrong, tmp_path)
    assert [each.owner for each in site.book.schedules()] == ["alice"]
