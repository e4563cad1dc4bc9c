"""Reports over months that were added up say what they say over days, also when a day changes afterwards."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from postgres import fresh_database

from mlinfn_condor.accounting import rolling
from mlinfn_condor.accounting.reports import NAMES, Period, Report, allowed, answer, explain
from mlinfn_condor.store import Connection, connect, migrate
from mlinfn_condor.store.local import LocalServer

MONTHS = Period(datetime(2026, 2, 1, tzinfo=UTC), datetime(2026, 4, 1, tzinfo=UTC))
PERIODS = {
    "whole months": MONTHS,
    "within months": Period(datetime(2026, 2, 3, 7, tzinfo=UTC), datetime(2026, 3, 20, 5, tzinfo=UTC)),
    "a month and a part": Period(datetime(2026, 1, 20, tzinfo=UTC), datetime(2026, 3, 2, 12, tzinfo=UTC)),
    "up to the last hour": replace(MONTHS, until=datetime(2026, 3, 31, 23, tzinfo=UTC)),
}
HISTORY = """
INSERT INTO mlinfn.device VALUES ('node-a', 'GPU-0', 'gpu', 'A100'), ('node-b', 'GPU-0', 'gpu', 'T4');
INSERT INTO mlinfn.device_period VALUES
    ('node-a', 'GPU-0', '[2026-01-25,2026-02-20)', 'alpha', '', 'pool'),
    ('node-a', 'GPU-0', '[2026-02-20,)', 'beta', '', 'pool'),
    ('node-b', 'GPU-0', '[2026-02-10,)', '', 'gamma', 'loans');
INSERT INTO mlinfn.machine_grant VALUES ('pool', 'node-a', '[2026-02-01,)', '', 32, 128000);
SELECT mlinfn.keep_month(t, m) FROM unnest(ARRAY['attempt', 'device_sample']) AS t,
    unnest(ARRAY[timestamptz '2026-02-01', '2026-03-01']) AS m;
INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome, username,
    project, class, node, slot, devices, devices_busy, watts, lost_s, cpus, cpus_asked, cpus_used, memory_asked_mb,
    memory_peak_mb, task)
SELECT 'batch@', i, 0, 1, s - interval '1 minute', s, s + make_interval(hours => 2 + i % 9),
    (ARRAY['completed', 'displaced', 'failed'])[1 + i % 3], (ARRAY['alice', 'bob', 'carol', 'dan'])[1 + i % 4],
    (ARRAY['alpha', 'beta'])[1 + i % 2], (ARRAY['batch', 'dask', 'interactive'])[1 + i % 3],
    (ARRAY['node-a', 'node-b'])[1 + i / 3 % 2], 'slot1', CASE WHEN i % 7 > 0 THEN '{GPU-0}' ELSE '{}' END::text[],
    CASE WHEN i % 5 > 0 THEN 0.5 END, 200, i % 3 * 60, 4, 4, i % 5 / 2.0, 16000, 1000 + 300 * (i % 20), 'train' || i % 4
FROM generate_series(0, 412) AS i, LATERAL (SELECT timestamptz '2026-01-31 20:00' + i * interval '3.5 hours' AS s) AS x;
INSERT INTO mlinfn.device_sample (at, seconds, busy_s, measured_s, joules, energy_s, watts, energy_source, device, node)
SELECT at, 3600, 1800, 3600, 720000, 3600, 200, 'c', 'GPU-0', 'node-a'
FROM generate_series(timestamptz '2026-02-01 01:00', '2026-03-31 12:00', '1 hour') AS t (at);
INSERT INTO mlinfn.day_state
SELECT d, clock_timestamp() FROM generate_series(date '2026-01-31', '2026-04-01', '1 day') AS d;
"""
LATE = """
INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome, username,
    project, class, node, slot, devices, cpus_asked, cpus_used, memory_asked_mb, memory_peak_mb)
VALUES ('batch@', 1000, 0, 1, '2026-02-05', '2026-02-05', '2026-02-05 10:00', 'completed', 'erin', 'alpha', 'batch',
    'node-b', 'slot1', '{GPU-0}', 1, 1, 128, 90000);
UPDATE mlinfn.day_state SET changed_at = clock_timestamp() WHERE day = '2026-02-05'
"""


@pytest.fixture
def connection(postgres: LocalServer) -> Iterator[Connection]:
    with fresh_database(postgres) as dsn:
        migrate(dsn)
        with connect(dsn, autocommit=True) as opened:
            opened.execute(HISTORY)
            yield opened


Told = dict[tuple[str, str, str], tuple[object, ...]]


def everything(connection: Connection) -> Told:
    """The rows of all tables of all reports, by what they were asked for."""
    return {
        (label, name, by): figures(answer(connection, name, period, by))
        for label, period in PERIODS.items()
        for name in NAMES
        for by in {allowed(name)[0], allowed(name)[-1], "month"} & set(allowed(name))
    }


def figures(report: Report) -> tuple[object, ...]:
    """Rounded, for a sum of sums differs in its last digits."""
    return tuple(
        tuple(round(value, 6) + 0.0 if isinstance(value, float) else value for value in row)
        for table in report.tables
        for row in table.rows
    )


def months(connection: Connection) -> list[str]:
    found = connection.execute("SELECT month::text FROM mlinfn.months(%s, %s) ORDER BY 1", (MONTHS.since, MONTHS.until))
    return [month for (month,) in found]


def test_months_days_and_attempts_tell_the_same_whatever_changes(connection: Connection) -> None:
    attempts = everything(connection)
    assert months(connection) == []
    rolling.roll_up(connection)
    assert months(connection) == ["2026-02-01", "2026-03-01"]
    assert everything(connection) == attempts

    connection.execute(LATE)
    assert months(connection) == ["2026-03-01"]
    changed = everything(connection)
    assert changed != attempts
    connection.execute("SELECT mlinfn.roll_up_day('2026-02-05')")
    assert months(connection) == ["2026-03-01"]
    assert everything(connection) == changed
    assert rolling.roll_up(connection) == []
    assert months(connection) == ["2026-02-01", "2026-03-01"]
    assert everything(connection) == changed


def test_months_outlive_their_rows(connection: Connection) -> None:
    rolling.roll_up(connection)
    before = {name: figures(answer(connection, name, MONTHS)) for name in NAMES}
    assert len(rolling.retire(connection, 2)) == 4
    assert {name: figures(answer(connection, name, MONTHS)) for name in NAMES} == before
    connection.execute(LATE)
    rolling.roll_up(connection)
    assert months(connection) == ["2026-02-01", "2026-03-01"]
    assert {name: figures(answer(connection, name, MONTHS)) for name in NAMES} == before


def test_the_rows_behind_a_month_are_its_days(connection: Connection) -> None:
    rolling.roll_up(connection)
    table = explain(connection, "usage", MONTHS, "2026-02", "month").tables[0]
    assert {str(row[0])[:10] for row in table.rows} == {f"2026-02-{day:02}" for day in range(1, 29)}


def test_a_month_that_goes_on_is_not_added_up(connection: Connection) -> None:
    connection.execute("INSERT INTO mlinfn.day_state VALUES ((now() AT TIME ZONE 'UTC')::date, clock_timestamp())")
    rolling.roll_up(connection)
    found = connection.execute("SELECT max(month)::text FROM mlinfn.month_state").fetchone()
    assert found == ("2026-04-01",)
