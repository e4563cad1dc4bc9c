"""Each report on a history that a person can add up: figures, the rows behind them, and the command line."""

import os
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest
from postgres import fresh_database

from mlinfn_condor.accounting.reports import NAMES, Period, Report, allowed, answer, explain
from mlinfn_condor.errors import UserError
from mlinfn_condor.store import Connection, connect, migrate
from mlinfn_condor.store.local import LocalServer

PERIOD = Period(datetime(2026, 3, 1, tzinfo=UTC), datetime(2026, 3, 3, tzinfo=UTC))
HISTORY = """
INSERT INTO mlinfn.device VALUES ('node-a', 'GPU-0', 'gpu', 'A100'), ('node-b', 'GPU-0', 'gpu', 'T4');
INSERT INTO mlinfn.device_period VALUES
    ('node-a', 'GPU-0', '[2026-02-01,)', 'alpha', '', 'pool'),
    ('node-b', 'GPU-0', '[2026-02-01,)', '', 'gamma', 'loans');
INSERT INTO mlinfn.machine_grant VALUES ('pool', 'node-a', '[2026-02-01,)', '', 32, 128000);
INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome, username,
    project, class, node, slot, devices, devices_busy, watts, lost_s, cpus, cpus_asked, cpus_used, memory_asked_mb,
    memory_peak_mb, task)
VALUES
    ('batch@', 1, 0, 1, '2026-03-01 01:00', '2026-03-01 02:00', '2026-03-01 06:00', 'displaced', 'bob', 'beta',
        'batch', 'node-a', 'slot2_1', '{GPU-0}', 0.5, 200, 3600, 8, 8, 2.5, 32000, 5000, 'train.py'),
    ('interactive@', 2, 0, 1, '2026-03-01 05:59', '2026-03-01 05:59:30', '2026-03-01 08:00', 'completed', 'alice',
        'alpha', 'interactive', 'node-a', 'slot1_1', '{GPU-0}', NULL, NULL, 0, 4, 4, NULL, 16000, NULL, '');
INSERT INTO mlinfn.device_sample (at, seconds, busy_s, measured_s, joules, energy_s, watts, energy_source, device, node)
SELECT at, 3600, 1800, 3600, 720000, 3600, 200, 'c', 'GPU-0', 'node-a'
FROM generate_series(timestamptz '2026-03-01 01:00', '2026-03-01 12:00', '1 hour') AS t (at);
INSERT INTO mlinfn.spawn (clicked_at, username, server, model, ready_at, outcome) VALUES
    ('2026-03-01 05:59', 'alice', '', 'A100', '2026-03-01 05:59:04', 'ready'),
    ('2026-03-01 06:59', 'carol', '', 'A100', '2026-03-01 06:59:08', 'ready'),
    ('2026-03-01 07:59', 'carol', '', 'A100', NULL, 'failed');
INSERT INTO mlinfn.day_state VALUES ('2026-03-01', now());
"""


@pytest.fixture(scope="module")
def dsn(postgres: LocalServer) -> Iterator[str]:
    with fresh_database(postgres) as made:
        migrate(made)
        with connect(made) as connection:
            connection.execute(HISTORY)
        yield made


@pytest.fixture
def connection(dsn: str) -> Iterator[Connection]:
    with connect(dsn) as opened:
        yield opened


def row(report: Report, key: str, table: str | None = None) -> dict[str, object]:
    (chosen,) = [each for each in report.tables if each.name == (table or report.name)]
    (found,) = [
        record for values, record in zip(chosen.rows, chosen.records(), strict=True) if key in (values[0], values[1])
    ]
    return found


def test_allocation(connection: Connection) -> None:
    told = answer(connection, "allocation", PERIOD, "user")
    assert row(told, "bob")["batch_h"] == pytest.approx(4)
    assert row(told, "alice")["interactive_h"] == pytest.approx(2)
    assert row(told, "(given to gamma)")["given_h"] == pytest.approx(48)
    assert row(told, "(unallocated)")["unallocated_h"] == pytest.approx(42)
    assert told.tables[0].total is not None
    assert told.tables[0].total[1:3] == pytest.approx((96, 6))


def test_utilisation_knows_lost_from_idle_from_unknown(connection: Connection) -> None:
    told = answer(connection, "utilisation", PERIOD, "class")
    batch, session = row(told, "batch"), row(told, "interactive")
    assert (batch["busy_h"], batch["idle_h"], batch["lost_h"]) == pytest.approx((1.5, 1.5, 1))
    assert batch["kwh"] == pytest.approx(0.8)
    assert (session["unmeasured_h"], session["busy_percent"], session["kwh"]) == (pytest.approx(2), None, None)
    assert session["handover_h"] == pytest.approx(30 / 3600)


def test_usage_with_spawns_peaks_and_tasks(connection: Connection) -> None:
    told = answer(connection, "usage", PERIOD)
    assert row(told, "bob")["attempts"] == row(told, "bob")["displaced"] == 1
    assert row(told, "bob")["share_percent"] == pytest.approx(100 * 4 / 6)
    assert row(told, "bob")["cpu_h"] == pytest.approx(32)
    spawns = row(told, "A100", "spawns")
    assert (spawns["spawns"], spawns["failed"], spawns["median_s"], spawns["worst_s"]) == (3, 1, pytest.approx(6), 8)
    assert row(told, "A100", "interactive_peaks")["devices_peak"] == 1
    assert row(told, "train.py", "tasks")["device_h"] == pytest.approx(4)


def test_rightsizing_says_when_tasks_are_too_few(connection: Connection) -> None:
    told = row(answer(connection, "rightsizing", PERIOD), "A100/batch", "proposal")
    assert (told["request_cpus"], told["request_memory_mb"], told["tasks"]) == (3, 5120, 1)
    assert told["more_tasks_per_node"] == 32 // 3 - 4
    assert told["how_sure"] == "too few: 1 of at least 59 tasks"
    assert told["sure_memory_mb"] is None
    assert told["site_file"] is None


def test_owners(connection: Connection) -> None:
    told = row(answer(connection, "owners", PERIOD, "project"), "alpha")
    assert [told[name] for name in ("contributed_h", "own_h", "lent_h", "idle_h")] == pytest.approx([48, 2, 4, 42])
    assert (told["starts"], told["wait_mean_s"]) == (1, pytest.approx(30))


def test_energy_is_unknown_where_nobody_measured(connection: Connection) -> None:
    by_user = answer(connection, "energy", PERIOD, "user")
    assert row(by_user, "bob")["kwh"] == pytest.approx(0.8)
    assert row(by_user, "(unattributed)")["kwh"] == pytest.approx(12 * 0.2 - 0.8)
    month = row(answer(connection, "energy", PERIOD), "2026-03")
    assert (month["kwh"], month["known_h"], month["unknown_h"]) == pytest.approx((2.4, 12, 36))
    dark = Period(datetime(2026, 3, 2, tzinfo=UTC), PERIOD.until)
    unknown = row(answer(connection, "energy", dark), "2026-03")
    assert (unknown["kwh"], unknown["unknown_h"]) == (None, pytest.approx(24))


@pytest.mark.parametrize(
    ("name", "by"), [(name, by) for name in NAMES for by in allowed(name) if name != "rightsizing"]
)
def test_the_rows_behind_a_figure_add_up_to_it(connection: Connection, name: str, by: str) -> None:
    (table, *_) = answer(connection, name, PERIOD, by).tables
    assert table.rows
    for key, *figures in table.rows:
        rows = explain(connection, name, PERIOD, str(key), by).tables[0]
        assert rows.total is not None
        for column, figure, behind in zip(table.columns[1:], figures, rows.total[1:], strict=False):
            if column.adds_up and isinstance(figure, float | int):
                assert behind == pytest.approx(figure, abs=1e-9), (key, column.name)


def test_the_attempts_behind_a_figure(connection: Connection) -> None:
    attempts = explain(connection, "utilisation", PERIOD, "A100").tables[1]
    assert [record["attempt"] for record in attempts.records()] == ["batch@1.0 run 1", "interactive@2.0 run 1"]
    assert attempts.total is not None
    assert attempts.total[-1] == pytest.approx(6)


def test_a_key_that_there_is_not(connection: Connection) -> None:
    with pytest.raises(UserError, match=r"no row of usage by user .* is called 'mallory'"):
        explain(connection, "usage", PERIOD, "mallory")


def test_who_may_only_read_can_ask_everything(dsn: str) -> None:
    with connect(dsn) as connection:
        connection.execute("SET ROLE mlinfn_reports")
        for name in NAMES:
            assert answer(connection, name, PERIOD).tables[0].rows


def command(dsn: str, *words: str) -> subprocess.CompletedProcess[str]:
    line = [sys.executable, "-m", "mlinfn_condor.cli", "report", *words, "--dsn", dsn]
    return subprocess.run(line, env=dict(os.environ), capture_output=True, text=True, check=False, timeout=60)


def test_all_six_on_one_page(dsn: str) -> None:
    done = command(dsn, "all", "--since", "2026-03-01", "--until", "2026-03-03", "--format", "html")
    assert done.returncode == 0, done.stderr
    assert all(f'<section id="{name}">' in done.stdout for name in NAMES)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["energy", "--by", "moon"], "--by is one of month, week, day, user, project, class, device-model"),
        (["weather"], "there is no report 'weather'; there are allocation"),
        (["usage", "--since", "2026-03-02", "--until", "2026-03-01"], "since has to come before until"),
        (["all", "--by", "user"], "leave --by and --explain out"),
        (["usage", "--output", "/nowhere/report.csv"], "/nowhere is no folder"),
        (["usage", "--explain", "mallory"], "is called 'mallory'"),
    ],
)
def test_a_mistake_is_one_line(dsn: str, words: list[str], said: str) -> None:
    done = command(dsn, *words)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_database_that_is_down_is_one_line() -> None:
    line, page = command("postgresql://alice@127.0.0.1:1/site", "usage").stderr.splitlines()
    assert "no way into database site at 127.0.0.1:1" in line
    assert page == "mlinfn: read on in docs/database.md#when-something-is-wrong"


def test_a_period_without_anything_says_so_in_words(dsn: str) -> None:
    done = command(dsn, "usage", "--since", "1999-01-01", "--until", "1999-02-01")
    assert done.returncode == 0
    assert "nobody used the platform in this period" in done.stdout
