"""The recorder and a real PostgreSQL: each record once, whoever is killed when."""

import multiprocessing
import os
import random
import signal
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import psycopg
import pytest
from postgres import fresh_database, server_in, short_folder, wait_until, without_sync

from mlinfn_condor.accounting import looking, rolling
from mlinfn_condor.accounting.looking import PATIENCE_SECONDS, Look
from mlinfn_condor.accounting.recorder import GAP_SECONDS, Recorded, Recorder
from mlinfn_condor.accounting.service import Service
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.pool.priorities import Priority
from mlinfn_condor.pool.slots import Slot
from mlinfn_condor.store import Connection, connect, migrate
from mlinfn_condor.store.local import RECORDER, REPORTS, LocalServer

BATCH = "batch@"
MIDNIGHT = 1_772_323_200
"""2026-03-01 00:00:00 UTC."""
CHUNK_BYTES = 3_000
"""Some four records: a reading is many transactions, and a kill is always in the middle of one."""


def attempt(cluster: int, start: int, seconds: int = 600, run: int = 1, **changed: str) -> str:
    ad = {
        "EpochAdType": '"EPOCH"', "ClusterId": cluster, "ProcId": 0, "NumShadowStarts": run, "QDate": MIDNIGHT - 1000,
        "JobCurrentStartDate": start, "EpochWriteDate": start + seconds, "ExitBySignal": "false", "ExitCode": 0,
        "Owner": '"alice"', "Project": '"alpha"', "PriorityClass": '"batch"', "RemoteHost": '"slot1_1@node@host"',
        "AssignedGPUs": f'"GPU-{cluster % 4}"', "Cmd": '"/bin/train"', "CpusProvisioned": 1,
        "MachineAttrGPUs_DeviceModel0": '"T4"',
    } | changed  # fmt: skip
    lines = "".join(f"{name} = {value}\n" for name, value in ad.items())
    return f'{lines}*** EPOCH ClusterId={cluster} ProcId=0 RunInstanceId={run} Owner="alice" CurrentTime={start}\n'


def job(cluster: int, left: int = MIDNIGHT) -> str:
    ad = {
        "ClusterId": cluster, "ProcId": 0, "QDate": MIDNIGHT - 1000, "JobStatus": 4, "CompletionDate": left,
        "EnteredCurrentStatus": left, "NumShadowStarts": 1, "ExitCode": 0, "RemoteWallClockTime": 600.0,
        "Owner": '"alice"', "Project": '"alpha"', "PriorityClass": '"batch"',
    }  # fmt: skip
    lines = "".join(f"{name} = {value}\n" for name, value in ad.items())
    return f'{lines}*** Offset = 0 ClusterId = {cluster} ProcId = 0 Owner = "alice" CompletionDate = {left}\n'


def write(spool: Path, clusters: Iterable[int], name: str = "epoch_history") -> None:
    with (spool / name).open("a") as stream:
        stream.writelines(attempt(one, MIDNIGHT + one * 700) for one in clusters)


def slot(**changed: Any) -> Slot:
    """A partitionable slot with one GPU, of which a session could be given."""
    ad = {
        "Name": "slot1@node@host", "PartitionableSlot": True, "MlinfnOffer": "session", "State": "Unclaimed",
        "AssignedGPUs": "GPU-1", "GPUs_GPU_1": {"Id": "GPU-1", "DeviceModel": "T4"}, "TotalCpus": 8,
        "TotalMemory": 8192, "GPUs": 1,
    } | changed  # fmt: skip
    return Slot.from_ad({name: value for name, value in ad.items() if value is not None})


def claimed(cluster: int, start: int, **changed: Any) -> Slot:
    """The slot of a job that runs."""
    return slot(
        **{
            "Name": "slot1_1@node@host", "PartitionableSlot": None, "State": "Claimed", "Cpus": 1, "Memory": 256,
            "GlobalJobId": f"{BATCH}#{cluster}.0#{MIDNIGHT - 1000}", "JobStart": start, "RemoteOwner": "alice@pool",
            "Project": "alpha", "PriorityClass": "batch", "EnteredCurrentState": start,
        }
        | changed
    )  # fmt: skip


def rows(connection: Connection, query: str, *values: object) -> list[tuple[Any, ...]]:
    return connection.execute(query, values).fetchall()  # type: ignore[call-overload,no-any-return]


def clusters(connection: Connection) -> list[int]:
    return [row[0] for row in rows(connection, "SELECT cluster FROM mlinfn.attempt ORDER BY 1")]


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    (folder := tmp_path / "spool").mkdir()
    return folder


@pytest.fixture
def migrated(database: str) -> str:
    migrate(database)
    return database


@pytest.fixture
def connection(migrated: str) -> Iterator[Connection]:
    with connect(migrated, autocommit=True) as opened:
        yield opened


@pytest.fixture
def recorder(connection: Connection, spool: Path) -> Recorder:
    return Recorder(connection, {BATCH: spool}, CHUNK_BYTES)


def test_what_was_read_is_not_read_again(recorder: Recorder, connection: Connection, spool: Path) -> None:
    write(spool, range(50))
    (spool / "history").write_text("".join(job(one) for one in range(50)))
    first = recorder.read_all()
    assert (first.rows, first.by_kind, first.refused) == (100, {"epoch": 50, "history": 50}, 0)
    assert recorder.read_all() == Recorded()
    write(spool, range(50, 53))
    assert recorder.read_all().rows == 3
    assert clusters(connection) == list(range(53))


def test_a_rotation_between_two_readings_changes_nothing(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    write(spool, range(10))
    recorder.read_all()
    write(spool, range(10, 20))
    (spool / "epoch_history").rename(spool / "epoch_history.20260301T120000")
    write(spool, range(20, 25))
    assert recorder.read_all().rows == 15
    assert clusters(connection) == list(range(25))


def test_a_rotation_while_it_reads_loses_nothing(
    connection: Connection, spool: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name that was looked at is another file by the time it is opened, and a longer one."""
    recorder = Recorder(connection, {BATCH: spool}, CHUNK_BYTES)
    write(spool, range(5))
    recorder.read_all()
    write(spool, range(5, 10))
    unread = Recorder._unread

    def rotated(self: Recorder, access_point: str, kind: Any, current: Path) -> Any:
        found = unread(self, access_point, kind, current)
        if kind.name == "epoch" and not (spool / "epoch_history.20260301T120000").exists():
            (spool / "epoch_history").rename(spool / "epoch_history.20260301T120000")
            write(spool, range(10, 40))
        return found

    monkeypatch.setattr(Recorder, "_unread", rotated)
    recorder.read_all()
    assert recorder.read_all().refused == 0
    assert clusters(connection) == list(range(40))
    assert rows(connection, "SELECT * FROM mlinfn.refused_record") == []


def test_with_the_cursors_lost_nothing_changes(recorder: Recorder, connection: Connection, spool: Path) -> None:
    write(spool, range(50))
    recorder.read_all()
    before = rows(connection, "SELECT * FROM mlinfn.attempt ORDER BY cluster")
    days = rows(connection, "SELECT * FROM mlinfn.day_state")
    periods = rows(connection, "SELECT * FROM mlinfn.device_period")
    connection.execute(SQL.text("forget_cursors"))
    again = recorder.read_all()
    assert (again.rows, again.read_bytes) == (0, (spool / "epoch_history").stat().st_size)
    assert rows(connection, "SELECT * FROM mlinfn.attempt ORDER BY cluster") == before
    assert rows(connection, "SELECT * FROM mlinfn.day_state") == days
    assert rows(connection, "SELECT * FROM mlinfn.device_period") == periods


def test_two_recorders_at_the_same_moment_store_each_row_once(migrated: str, spool: Path) -> None:
    write(spool, range(300))
    (spool / "history").write_text("".join(job(one) for one in range(300)))

    def read(_: int) -> int:
        with connect(migrated, autocommit=True) as mine:
            return Recorder(mine, {BATCH: spool}, CHUNK_BYTES).read_all().rows

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(read, range(4))) == 600
    with connect(migrated) as mine:
        assert clusters(mine) == list(range(300))


def test_what_cannot_be_understood_is_kept_and_the_rest_goes_in(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    write(spool, range(3))
    position = (spool / "epoch_history").stat().st_size
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(3, MIDNIGHT, Owner="undefined"))
    write(spool, range(4, 8))
    read = recorder.read_all()
    assert (read.rows, read.refused) == (7, 1)
    assert clusters(connection) == [0, 1, 2, 4, 5, 6, 7]
    ((at_byte, reason, record),) = rows(connection, "SELECT at_byte, reason, record FROM mlinfn.refused_record")
    assert (at_byte, reason) == (position, "Owner is undefined")
    assert "ClusterId = 3\n" in record
    assert recorder.read_all().refused == 0


@pytest.mark.parametrize(
    "hostile",
    [
        {"MemoryProvisioned": "99999999999999"},
        {"CpusUsage": "1e300"},
        {"ExitCode": "3.5"},
        {"ClusterId": "99999999999"},
        {"NumShadowStarts": "undefined"},
        {"EpochWriteDate": "99999999999999"},
        {"GPUsMemoryUsage": "1e30"},
    ],
)
def test_a_value_that_no_column_takes_stops_nobody_else(
    hostile: dict[str, str], recorder: Recorder, connection: Connection, spool: Path
) -> None:
    write(spool, range(3))
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(3, MIDNIGHT, **hostile))
    write(spool, range(4, 8))
    read = Recorder(connection, {BATCH: spool}).read_all()
    assert (read.rows, read.refused) == (7, 1)
    assert clusters(connection) == [0, 1, 2, 4, 5, 6, 7]
    ((reason,),) = rows(connection, "SELECT reason FROM mlinfn.refused_record")
    assert "range" in reason or "invalid" in reason


def read_for_ever(dsn: str, spool: Path) -> None:
    """A recorder's process, until it is killed."""
    while True:
        try:
            with connect(dsn, autocommit=True) as mine:
                Recorder(mine, {BATCH: spool}, CHUNK_BYTES).read_all()
        except psycopg.Error:
            continue


def test_a_recorder_that_is_killed_again_and_again_stores_each_row_once(migrated: str, spool: Path) -> None:
    moments = random.Random(4)
    total = 0
    for turn in range(12):
        write(spool, range(total, total + 60))
        total += 60
        if turn % 4 == 3:
            (spool / "epoch_history").rename(spool / f"epoch_history.20260301T1200{turn:02}")
        process = multiprocessing.get_context("fork").Process(target=read_for_ever, args=(migrated, spool))
        process.start()
        process.join(moments.uniform(0.02, 0.35))
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join()
    with connect(migrated, autocommit=True) as mine:
        Recorder(mine, {BATCH: spool}, CHUNK_BYTES).read_all()
        assert clusters(mine) == list(range(total))
        ((records,),) = rows(mine, "SELECT sum(records) FROM mlinfn.history_cursor")
        assert records == total


@pytest.fixture
def own_server() -> Iterator[LocalServer]:
    """A server that may be killed."""
    with short_folder() as folder, server_in(folder / "database") as server:
        without_sync(server).up(SilentReport())
        yield server


def test_a_database_that_is_killed_and_comes_back(own_server: LocalServer, spool: Path) -> None:
    with fresh_database(own_server) as dsn:
        migrate(dsn)
        said: list[str] = []
        service = Service(dsn, pytest.fail, {BATCH: spool}, AccountingSettings(), say=said.append)
        for turn in range(3):
            write(spool, range(turn * 100, turn * 100 + 100))
            process = multiprocessing.get_context("fork").Process(target=read_for_ever, args=(dsn, spool))
            process.start()
            process.join(0.15)
            pid = own_server.running()
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            wait_until(lambda: own_server.running() is None, 20, "the server is dead")
            assert process.pid is not None
            os.kill(process.pid, signal.SIGKILL)
            process.join()
            service._attempt(service.read)  # what it had was cut off
            service._attempt(service.read)
            told = len(said)
            service._attempt(service.read)
            assert len(said) == told, "the same is not said again and again"
            assert "cannot read" in said[-1]
            own_server.up(SilentReport())
            service._attempt(service.read)
            assert said[-1] == "recorder: can read again"
        with connect(dsn, autocommit=True) as mine:
            assert clusters(mine) == list(range(300))


def test_the_record_of_an_attempt_takes_the_place_of_what_was_seen(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    start = MIDNIGHT + 10
    looking.store(connection, Look(start + 60, [slot(), claimed(1, start)], []))
    assert rows(connection, "SELECT outcome, cluster FROM mlinfn.attempt_known") == [("running", 1)]
    (spool / "epoch_history").write_text(attempt(1, start - 1, 90))
    recorder.read_all()
    # The collector still shows it for a while.
    looking.store(connection, Look(start + 95, [slot(), claimed(1, start)], []))
    assert rows(connection, "SELECT outcome, run FROM mlinfn.attempt_known") == [("completed", 1)]


def test_the_next_attempt_of_the_same_job_is_seen(recorder: Recorder, connection: Connection, spool: Path) -> None:
    (spool / "epoch_history").write_text(attempt(1, MIDNIGHT, 90))
    recorder.read_all()
    looking.store(connection, Look(MIDNIGHT + 200, [slot(), claimed(1, MIDNIGHT + 100)], []))
    assert rows(connection, "SELECT outcome FROM mlinfn.attempt_known ORDER BY 1") == [("completed",), ("running",)]


def test_what_is_gone_without_a_record_is_given_up_after_patience(connection: Connection) -> None:
    start = MIDNIGHT + 10
    looking.store(connection, Look(start + 60, [slot(), claimed(1, start)], []))
    gone = start + 90
    for at in (gone, gone + PATIENCE_SECONDS):
        looking.store(connection, Look(at, [slot()], []))
        assert clusters(connection) == []
    looking.store(connection, Look(gone + PATIENCE_SECONDS + 1, [slot()], []))
    query = "SELECT outcome, extract(epoch FROM ended_at)::bigint, lost_s, username, devices FROM mlinfn.attempt_known"
    assert rows(connection, query) == [("vanished", start + 60, 60.0, "alice", ["GPU-1"])]
    assert rows(connection, "SELECT * FROM mlinfn.running") == []
    assert rows(connection, "SELECT count(*) FROM mlinfn.attempt_other") == [(0,)]


def test_one_that_was_only_out_of_sight_is_not_given_up(connection: Connection) -> None:
    start = MIDNIGHT + 10
    for at in (60, 90, 90 + PATIENCE_SECONDS - 10):
        looking.store(connection, Look(start + at, [slot()] + [claimed(1, start)] * (at != 90), []))
    looking.store(connection, Look(start + 200 + PATIENCE_SECONDS, [slot()], []))
    assert rows(connection, "SELECT outcome FROM mlinfn.attempt_known") == [("running",)]


def test_a_collector_that_knows_no_slot_yet_takes_nothing_away(connection: Connection) -> None:
    looking.store(connection, Look(MIDNIGHT + 60, [slot(), claimed(1, MIDNIGHT)], []))
    looking.store(connection, Look(MIDNIGHT + 90, [], []))
    assert rows(connection, "SELECT gone_at FROM mlinfn.running") == [(None,)]


def test_a_record_that_comes_after_all_takes_the_place_of_the_vanished(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    start = MIDNIGHT + 10
    looking.store(connection, Look(start + 60, [slot(), claimed(1, start)], []))
    looking.store(connection, Look(start + 90, [slot()], []))
    looking.store(connection, Look(start + 91 + PATIENCE_SECONDS, [slot()], []))
    assert rows(connection, "SELECT outcome FROM mlinfn.attempt_known") == [("vanished",)]
    (spool / "epoch_history").write_text(attempt(1, start - 1, 80))
    recorder.read_all()
    assert rows(connection, "SELECT reason FROM mlinfn.refused_record") == []
    assert rows(connection, "SELECT outcome FROM mlinfn.attempt_known") == [("completed",)]


def test_an_attempt_without_a_record_is_not_forgotten_for_the_next_one(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    """Its shadow was killed; the job started again and ended before the first was given up."""
    start = MIDNIGHT + 10
    looking.store(connection, Look(start + 1000, [slot(), claimed(1, start)], []))
    looking.store(connection, Look(start + 1100, [slot(), claimed(1, start + 1050)], []))
    (spool / "epoch_history").write_text(attempt(1, start + 1049, 100, run=2))
    recorder.read_all()
    looking.store(connection, Look(start + 1200 + PATIENCE_SECONDS, [slot()], []))
    query = "SELECT outcome, extract(epoch FROM ended_at - started_at)::integer FROM mlinfn.attempt ORDER BY started_at"
    assert rows(connection, query) == [("vanished", 1000), ("completed", 100)]


PERIODS = """
SELECT extract(epoch FROM lower(during))::bigint, extract(epoch FROM upper(during))::bigint, owner_project
FROM mlinfn.device_period ORDER BY 1
"""


def test_a_device_that_moves_between_owners_has_a_period_of_each(connection: Connection) -> None:
    t = MIDNIGHT
    for at, owner in ((t, "alpha"), (t + 30, "alpha"), (t + 60, "beta"), (t + 90, "beta"), (t + 120, "alpha")):
        for _ in range(2):  # the same look twice
            looking.store(connection, Look(at, [slot(GPUs_OwnerProject=owner)], []))
    assert rows(connection, PERIODS) == [
        (t - 1, t + 30, "alpha"), (t + 30, t + 90, "beta"), (t + 90, t + 120, "alpha"),
    ]  # fmt: skip


def test_a_device_that_was_away_for_long_was_not_granted(connection: Connection) -> None:
    t = MIDNIGHT
    for at in (t, t + 30, t + 30 + GAP_SECONDS, t + 90 + 2 * GAP_SECONDS):
        looking.store(connection, Look(at, [slot()], []))
    assert [row[:2] for row in rows(connection, PERIODS)] == [
        (t - 1, t + 30 + GAP_SECONDS), (t + 89 + 2 * GAP_SECONDS, t + 90 + 2 * GAP_SECONDS),
    ]  # fmt: skip


def read_counters(at: int, begun: int = MIDNIGHT, **figures: object) -> Look:
    reading = {"Id": "GPU-1", "At": at, "CounterStart": begun, **figures}
    return Look(at, [slot(DeviceReadings=[reading])], [])


SAMPLES = """
SELECT extract(epoch FROM at)::bigint - %s, seconds, busy_s, measured_s, joules, energy_s
FROM mlinfn.device_sample ORDER BY at
"""


def test_samples_are_differences_of_counters(connection: Connection) -> None:
    t = MIDNIGHT

    def counted(at: int, begun: int, busy: float, joules: float) -> Look:
        seconds = float(t + at - begun)
        figures = {"BusySeconds": busy, "MeasuredSeconds": seconds, "Joules": joules, "EnergySeconds": seconds}
        return read_counters(t + at, begun, **figures)

    for look in (
        counted(30, t, 10, 3000),
        counted(60, t, 40, 9000),
        counted(60, t, 40, 9000),  # the same look twice
        counted(30, t, 10, 3000),  # an old one
        counted(150, t, 70, 12000),  # two were missed
        counted(180, t + 160, 20, 500),  # the monitor began anew
    ):
        looking.store(connection, look)
    assert rows(connection, SAMPLES, t) == [
        (30, 30.0, 10.0, 30.0, 3000.0, 30.0),
        (60, 30.0, 30.0, 30.0, 6000.0, 30.0),
        (150, 90.0, 30.0, 90.0, 3000.0, 90.0),
        (180, 20.0, 20.0, 20.0, 500.0, 20.0),
    ]


def test_two_recorders_that_look_beside_each_other_count_no_second_twice(migrated: str) -> None:
    looks = [
        read_counters(MIDNIGHT + at, BusySeconds=at / 2, MeasuredSeconds=float(at), Joules=1.0, EnergySeconds=float(at))
        for at in range(5, 305, 5)
    ]

    def store(_: int) -> None:
        with connect(migrated, autocommit=True) as mine:
            for look in looks:
                looking.store(mine, look)

    with ThreadPoolExecutor(3) as threads:
        list(threads.map(store, range(3)))
    with connect(migrated) as mine:
        query = "SELECT sum(seconds), sum(busy_s), sum(measured_s) FROM mlinfn.device_sample"
        assert rows(mine, query) == [(300, 150, 300)]


def test_what_was_not_measured_is_null_in_its_sample(connection: Connection) -> None:
    for at in (30, 60):
        looking.store(connection, read_counters(MIDNIGHT + at, MeasuredSeconds=0.0, EnergySeconds=0.0))
    assert rows(connection, SAMPLES, MIDNIGHT) == [
        (30, 30.0, None, 0.0, None, 0.0), (60, 30.0, None, 0.0, None, 0.0),
    ]  # fmt: skip


SUMS = ("day_use", "day_task", "day_size", "day_wait", "hour_demand", "device_hour", "month_use", "month_size")


def sums(connection: Connection) -> dict[str, list[str]]:
    return {name: sorted(map(str, rows(connection, f"SELECT * FROM mlinfn.{name}"))) for name in SUMS}


def test_days_are_added_up_when_they_changed_and_give_the_same_again(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    write(spool, range(200))  # some 39 hours
    recorder.read_all()
    looking.store(connection, read_counters(MIDNIGHT + 30, BusySeconds=10.0, MeasuredSeconds=30.0))
    days = rolling.roll_up(connection)
    assert [day.isoformat() for day in days] == ["2026-03-01", "2026-03-02"]
    assert rolling.roll_up(connection) == []
    before = sums(connection)
    assert all(before[name] for name in ("day_use", "day_task", "day_wait", "hour_demand", "device_hour"))
    for day in days:
        connection.execute(SQL.text("roll_up_day"), {"day": day})
    assert sums(connection) == before
    ((claimed_s, attempts),) = rows(connection, "SELECT sum(claimed_s), sum(attempts) FROM mlinfn.day_use")
    assert (claimed_s, attempts) == (200 * 600, 200)
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(1000, MIDNIGHT + 86400 + 5))
    recorder.read_all()
    assert [day.isoformat() for day in rolling.roll_up(connection)] == ["2026-03-02"]


def test_an_attempt_over_midnight_counts_each_second_in_its_day(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    (spool / "epoch_history").write_text(attempt(1, MIDNIGHT - 100, 300))
    recorder.read_all()
    rolling.roll_up(connection)
    query = "SELECT day::text, claimed_s, attempts FROM mlinfn.day_use ORDER BY 1"
    assert rows(connection, query) == [("2026-02-28", 100.0, 0), ("2026-03-01", 200.0, 1)]


def test_retention_drops_months_and_keeps_their_sums(recorder: Recorder, connection: Connection, spool: Path) -> None:
    write(spool, range(20))
    now = int(time.time())
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(900, now - 700))
    recorder.read_all()
    assert rolling.retire(connection, 0) == []
    assert rolling.retire(connection, 2) == ["mlinfn.attempt_2026_03"]
    assert clusters(connection) == [900]
    assert rows(connection, "SELECT sum(attempts), sum(claimed_s) FROM mlinfn.day_use") == [(21, 21 * 600)]
    assert rolling.retire(connection, 2) == []


def test_a_session_older_than_what_is_kept_does_not_undo_the_sums_of_its_first_days(
    recorder: Recorder, connection: Connection, spool: Path
) -> None:
    """When it ends, it changes days whose other attempts are gone."""
    write(spool, range(20))
    recorder.read_all()
    rolling.retire(connection, 2)
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(2, MIDNIGHT, int(time.time()) - MIDNIGHT, RemoteHost='"slot1@other@host"'))
    recorder.read_all()
    rolling.roll_up(connection)
    query = "SELECT sum(attempts) FROM mlinfn.day_use WHERE day = '2026-03-01'"
    assert rows(connection, query) == [(20,)]


def test_reports_read_and_write_nothing(migrated: str, postgres: LocalServer, connection: Connection) -> None:
    dsn = as_role(migrated, postgres, REPORTS)
    tables = rows(
        connection,
        "SELECT format('%%I.%%I', schemaname, tablename) FROM pg_tables"
        " WHERE schemaname = 'mlinfn' AND tablename <> 'migration'",
    )
    assert len(tables) > 15
    with connect(dsn, autocommit=True) as mine:
        for (table,) in tables:
            mine.execute(f"SELECT * FROM {table} LIMIT 1")
            for statement in (f"DELETE FROM {table}", f"TRUNCATE {table}", f"INSERT INTO {table} DEFAULT VALUES"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    mine.execute(statement)  # type: ignore[call-overload]
        mine.execute("SELECT * FROM mlinfn.use_in(now() - interval '1 day', now())")
        for call in ("keep_month('attempt', now())", "drop_months('attempt', now())"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                mine.execute(f"SELECT mlinfn.{call}")  # type: ignore[call-overload]


def test_the_recorder_needs_no_more_than_its_own_role(migrated: str, postgres: LocalServer, spool: Path) -> None:
    write(spool, range(50))
    (spool / "history").write_text(job(1))
    with (spool / "epoch_history").open("a") as stream:
        stream.write(attempt(60, MIDNIGHT, Owner="undefined"))
    with connect(as_role(migrated, postgres, RECORDER), autocommit=True) as mine:
        figures = read_counters(MIDNIGHT + 30, BusySeconds=10.0, MeasuredSeconds=30.0)
        priorities = [Priority("alice@pool", "", False, 500.0, 1000.0, 1.0, 1.0)]
        looking.store(mine, Look(figures.at, [*figures.slots, claimed(99, MIDNIGHT)], priorities))
        looking.store(mine, Look(MIDNIGHT + 60, [slot(GPUs_OwnerProject="beta", TotalCpus=16)], []))
        looking.store(mine, Look(MIDNIGHT + 100 + PATIENCE_SECONDS, [slot()], []))
        recorded = Recorder(mine, {BATCH: spool}, CHUNK_BYTES).read_all()
        refusals = rows(mine, "SELECT reason FROM mlinfn.refused_record")
        assert (recorded.rows, refusals) == (51, [("Owner is undefined",)])
        assert rolling.roll_up(mine)
        assert rolling.retire(mine, 2) == [
            f"mlinfn.{table}_2026_03" for table in ("attempt", "job", "device_sample")
        ]  # fmt: skip
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            mine.execute("DROP TABLE mlinfn.event")


def as_role(dsn: str, server: LocalServer, role: str) -> str:
    """The same database, entered as somebody else."""
    name = psycopg.conninfo.conninfo_to_dict(dsn)["dbname"]
    return psycopg.conninfo.make_conninfo(server.dsn_as(role), dbname=name)
