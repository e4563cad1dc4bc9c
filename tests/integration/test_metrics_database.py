"""The live figures beside the reports, over made-up histories in a real PostgreSQL."""

import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest
from metrics_site import NOW, PERIOD, as_reports, figures, history, scrape
from postgres import wait_until

from mlinfn_condor.accounting import rolling
from mlinfn_condor.accounting.metrics import serving
from mlinfn_condor.accounting.metrics.exporter import Exporter
from mlinfn_condor.accounting.metrics.recorded import RecordedFigures
from mlinfn_condor.accounting.reports import answer
from mlinfn_condor.store import Connection, connect, migrate
from mlinfn_condor.store.local import LocalServer


@pytest.fixture(scope="module")
def dsn(postgres: LocalServer) -> Iterator[str]:
    """For those that only read."""
    with history(postgres) as made:
        yield made


@pytest.fixture
def own(postgres: LocalServer) -> Iterator[str]:
    """For those that change what was recorded."""
    with history(postgres) as made:
        yield made


def live(dsn: str, now: datetime = NOW) -> dict[str, dict[tuple[str, ...], float]]:
    return figures(RecordedFigures(lambda: as_reports(dsn), 300, lambda: now).look())


def total(samples: dict[tuple[str, ...], float], *labels: str) -> float:
    return sum(figure for key, figure in samples.items() if all(label in key for label in labels))


def check_against_reports(connection: Connection, told: dict[str, dict[tuple[str, ...], float]]) -> None:
    """Every row of allocation, utilisation, usage and energy, in the figures that were told live."""
    claimed = told["mlinfn_claimed_device_seconds"]
    checked = 0
    for by in ("project", "class", "device-model"):
        for record in answer(connection, "utilisation", PERIOD, by).tables[0].records():
            key = str(record[by.replace("-", "_")])
            for use in ("busy", "idle", "lost", "unmeasured"):
                assert total(claimed, key, use) / 3600 == pytest.approx(record[f"{use}_h"]), (key, use)
            assert total(told["mlinfn_handover_device_seconds"], key) / 3600 == pytest.approx(record["handover_h"])
            unknown = total(told["mlinfn_attempt_energy_unknown_seconds"], key)
            assert unknown / 3600 == pytest.approx(record["energy_unknown_h"])
            known = [value for who, value in told["mlinfn_attempt_energy_joules"].items() if key in who]
            assert (sum(known) / 3.6e6 if known else None) == pytest.approx(record["kwh"]), key
            checked += 1
        for record in answer(connection, "usage", PERIOD, by).tables[0].records():
            key = str(record[by.replace("-", "_")])
            attempts = told["mlinfn_attempts"]
            assert total(attempts, key) == record["attempts"]
            assert (total(attempts, key, "displaced"), total(attempts, key, "failed")) == (
                record["displaced"],
                record["failed"],
            )
            assert total(told["mlinfn_core_seconds"], key) / 3600 == pytest.approx(record["cpu_h"])
    assert checked >= 6
    for record in answer(connection, "allocation", PERIOD, "device-model").tables[0].records():
        model = str(record["device_model"])
        left = told["mlinfn_unclaimed_device_seconds"]
        given, unallocated = left.get((model, "given"), 0), left.get((model, "unallocated"), 0)
        assert (given / 3600, unallocated / 3600) == pytest.approx((record["given_h"], record["unallocated_h"]))
        assert (total(claimed, model) + given + unallocated) / 3600 == pytest.approx(record["granted_h"])
    energy = answer(connection, "energy", PERIOD, "device-model").tables[0]
    for record in energy.records():
        joules = told["mlinfn_measured_energy_joules"].get((str(record["device_model"]),))
        assert (None if joules is None else joules / 3.6e6) == pytest.approx(record["kwh"])


def test_sums_are_those_of_the_reports(dsn: str) -> None:
    with connect(dsn) as connection:
        check_against_reports(connection, live(dsn))


def test_sums_are_those_of_the_reports_while_days_settle_and_change(own: str) -> None:
    kept = RecordedFigures(lambda: own, 300, lambda: NOW)
    with connect(own, autocommit=True) as connection:
        check_against_reports(connection, figures(kept.look()))
        rolling.roll_up(connection)
        check_against_reports(connection, figures(kept.look()))
        connection.execute("UPDATE mlinfn.attempt SET lost_s = 7200, devices_busy = 0.25 WHERE cluster = 3")
        connection.execute("UPDATE mlinfn.day_state SET changed_at = clock_timestamp() WHERE day = '2026-03-03'")
        check_against_reports(connection, figures(kept.look()))
        rolling.roll_up(connection)
        check_against_reports(connection, figures(kept.look()))


def test_a_settled_day_is_not_read_again(own: str) -> None:
    kept = RecordedFigures(lambda: own, 300, lambda: NOW)
    with connect(own, autocommit=True) as connection:
        rolling.roll_up(connection)
        before = figures(kept.look())
        connection.execute("UPDATE mlinfn.day_use SET busy_s = 0 WHERE day < '2026-03-04'")
        assert figures(kept.look()) == before
        rolling.roll_up(connection)


def test_a_correction_makes_a_sum_fall(own: str) -> None:
    """Why the sums are gauges: a counter may not do this."""
    kept = RecordedFigures(lambda: own, 300, lambda: NOW)
    before = total(figures(kept.look())["mlinfn_claimed_device_seconds"], "beta", "busy")
    with connect(own, autocommit=True) as connection:
        connection.execute("UPDATE mlinfn.running SET devices_busy = 0.25 WHERE cluster = 7")
    assert total(figures(kept.look())["mlinfn_claimed_device_seconds"], "beta", "busy") == before - 3 * 3600 / 2


def test_devices_by_state_and_class_with_a_hand_over_at_whose_it_was_first(dsn: str) -> None:
    told = live(dsn)
    assert told["mlinfn_devices"] == {
        ("A100", "claimed", "batch"): 1,
        ("A100", "unallocated", ""): 1,
        ("T4", "given", ""): 1,
    }
    assert ("node-b", "GPU-0", "gpu", "T4", "true", "") in told["mlinfn_device_info"]
    assert told["mlinfn_users"] == {("batch",): 1, ("interactive",): 1}
    assert told["mlinfn_running_attempts"] == {("beta", "batch"): 1, ("alpha", "interactive"): 1}


def test_what_was_seen_long_ago_is_absent_not_old_and_not_zero(dsn: str) -> None:
    told = live(dsn, NOW + timedelta(hours=1))
    assert told["mlinfn_devices"] == {("T4", "given", ""): 1}
    assert "mlinfn_users" not in told
    assert "mlinfn_running_attempts" not in told
    assert ("gamma", "dask", "T4") not in told["mlinfn_attempt_energy_joules"]


def test_spawns_as_a_histogram_whose_bounds_are_included(dsn: str) -> None:
    told = live(dsn)
    buckets = told["mlinfn_spawn_seconds_bucket"]
    assert [buckets["A100", bound] for bound in ("3.0", "5.0", "8.0", "13.0", "+Inf")] == [0, 1, 1, 2, 2]
    assert told["mlinfn_spawn_seconds_sum"]["A100",] == 13.5
    assert told["mlinfn_spawns_total"] == {("A100", "ready"): 2, ("A100", "failed"): 1}


def test_how_the_recorder_does(dsn: str) -> None:
    told = live(dsn)
    assert told["mlinfn_recorder_last_look_timestamp_seconds"][()] == datetime(2026, 3, 4, 12, tzinfo=UTC).timestamp()
    assert told["mlinfn_recorder_refused_records"] == {("batch@", "epoch"): 1}
    assert told["mlinfn_recorder_records"] == {("batch@", "epoch"): 6}
    assert told["mlinfn_recorder_pending_sums"][()] == 3
    assert told["mlinfn_database_size_bytes"][()] > 1e6


def test_an_empty_database_has_no_figure_that_nobody_knows(database: str) -> None:
    migrate(database)
    told = live(database)
    assert set(told) == {"mlinfn_database_size_bytes", "mlinfn_recorder_pending_sums"}


def test_the_endpoint_says_when_the_database_is_away_and_has_it_again(dsn: str) -> None:
    where = ["postgresql://alice@127.0.0.1:1/site"]
    said: list[str] = []
    recorded = RecordedFigures(lambda: where[0], 300, lambda: NOW)
    server = serving.start(Exporter({"database": recorded.look}, 0, 30, said.append), "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.server_address[1]}/metrics"
    try:
        away = scrape(url)
        assert away["mlinfn_up"]["database",] == 0
        assert "mlinfn_devices" not in away
        where[0] = dsn
        there = wait_until(lambda: answered(url), 30, "the database answers")
        assert there["mlinfn_devices"]
        with connect(dsn, autocommit=True) as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'mlinfn metrics'"
            )
        wait_until(lambda: not answered(url), 30, "the cut connection was noticed")
        wait_until(lambda: answered(url), 30, "the database answers again")
    finally:
        server.shutdown()
        server.server_close()
    assert [line.split(":")[1].strip() for line in said] == [
        "no database, trying again", "database is there again", "no database, trying again", "database is there again",
    ]  # fmt: skip


def answered(url: str) -> dict[str, dict[tuple[str, ...], float]] | None:
    told = scrape(url)
    return told if told["mlinfn_up"]["database",] else None


def test_the_command_serves_until_it_is_told_to_stop(dsn: str) -> None:
    line = [sys.executable, "-m", "mlinfn_condor.cli", "accounting", "metrics", "--port", "0", "--dsn", as_reports(dsn)]
    with subprocess.Popen(line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            url = process.stdout.readline().removeprefix("metrics at ").strip()
            told = scrape(url)
        finally:
            process.send_signal(signal.SIGTERM)
            _, complained = process.communicate(timeout=30)
    assert told["mlinfn_up"] == {("database",): 1, ("pool",): 0}
    assert told["mlinfn_claimed_device_seconds"]
    assert process.returncode == 0
    (only,) = complained.splitlines()
    assert only.startswith("metrics: no pool, trying again: ")


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        line = [sys.executable, "-m", "mlinfn_condor.cli", "accounting", "metrics", "--port", port, "--dsn", "dbname=x"]
        done = subprocess.run(line, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert f"cannot listen at 127.0.0.1:{port}" in done.stderr.splitlines()[0]


def test_a_scheduled_run_that_nobody_submits_is_told_as_late(own: str) -> None:
    with connect(own, autocommit=True) as connection:
        told = live(own)
        assert told["mlinfn_schedules"] == {("every",): 1}
        assert told["mlinfn_schedule_runs"]["every", "done"] == 1
        assert told["mlinfn_schedule_late_seconds"]["every",] == 620
        connection.execute("UPDATE mlinfn_schedule.run SET state = 'submitted' WHERE state = 'done'")
    assert live(own)["mlinfn_schedule_late_seconds"] == {("every",): 0}, "it waits for the one before it"
