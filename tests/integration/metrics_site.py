"""A site of four days in March 2026, made up so that a person can add it up, and what the endpoint says of it."""

import urllib.request
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

from postgres import fresh_database
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from psycopg.conninfo import make_conninfo

from mlinfn_condor.accounting.reports import Period
from mlinfn_condor.store import connect, migrate
from mlinfn_condor.store.local import LocalServer

SINCE = datetime(2026, 3, 1, tzinfo=UTC)
NOW = datetime(2026, 3, 4, 12, 0, 20, tzinfo=UTC)
PERIOD = Period(SINCE, NOW)
HISTORY = """
INSERT INTO mlinfn.device VALUES
    ('node-a', 'GPU-0', 'gpu', 'A100', false), ('node-a', 'GPU-1', 'gpu', 'A100', false),
    ('node-b', 'GPU-0', 'gpu', 'T4', true), ('node-c', 'GPU-0', 'gpu', 'T4', false);
INSERT INTO mlinfn.device_period VALUES
    ('node-a', 'GPU-0', '[2026-03-01,2026-03-04 12:00)', 'alpha', '', 'pool'),
    ('node-a', 'GPU-1', '[2026-03-02 06:00,2026-03-04 12:00)', '', '', 'pool'),
    ('node-b', 'GPU-0', '[2026-03-01,)', '', 'gamma', 'loans'),
    ('node-c', 'GPU-0', '[2026-03-01,2026-03-04 11:00)', '', '', 'pool');
INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome, username,
    project, class, node, slot, devices, devices_busy, watts, lost_s, cpus)
VALUES
    ('batch@', 1, 0, 1, '2026-03-01 01:00', '2026-03-01 02:00', '2026-03-02 06:00', 'displaced', 'bob', 'beta',
        'batch', 'node-a', 'slot2_1', '{GPU-0}', 0.5, 200, 3600, 8),
    ('interactive@', 2, 0, 1, '2026-03-02 05:59', '2026-03-02 05:59:30', '2026-03-02 08:00', 'completed', 'alice',
        'alpha', 'interactive', 'node-a', 'slot1_1', '{GPU-0}', NULL, NULL, 0, 4),
    ('batch@', 3, 0, 1, '2026-03-03 01:00', '2026-03-03 02:00', '2026-03-03 06:00', 'failed', 'bob', 'beta',
        'batch', 'node-c', 'slot2_1', '{GPU-0}', 0.25, 70, 0, 8),
    ('batch@', 4, 0, 1, '2026-03-03 01:00', '2026-03-03 02:00', '2026-03-03 06:00', 'completed', 'bob', 'beta',
        'batch', 'node-a', 'slot9_1', '{}', NULL, NULL, 0, 2),
    ('batch@', 5, 0, 1, '2026-03-03 01:00', '2026-03-03 02:00', '2026-03-03 03:00', 'completed', 'eve', 'gamma',
        'dask', 'node-b', 'slot2_1', '{GPU-0}', 1, NULL, 0, 2),
    ('batch@', 6, 0, 1, '2026-03-04 01:00', '2026-03-04 02:00', '2026-03-04 03:00', 'completed', 'eve', 'gamma',
        'dask', 'node-x', 'slot2_1', '{GPU-7}', 1, 100, 0, 2);
INSERT INTO mlinfn.running VALUES
    ('batch@', 7, 0, '2026-03-04 09:00', '2026-03-04 09:00', '2026-03-04 12:00', NULL, 8, 32000, 0.75, 210, 'bob',
        'beta', 'batch', 'node-a', 'slot2_1', '{GPU-1}'),
    ('interactive@', 8, 0, '2026-03-04 11:59', '2026-03-04 11:59:50', '2026-03-04 12:00', NULL, 8, 32000, NULL, NULL,
        'carol', 'alpha', 'interactive', 'node-a', 'slot1_2', '{GPU-1}'),
    ('interactive@', 9, 0, '2026-03-04 10:00', '2026-03-04 10:00', '2026-03-04 11:30', '2026-03-04 11:31', 8, 32000,
        NULL, NULL, 'dave', 'alpha', 'interactive', 'node-a', 'slot1_3', '{}');
INSERT INTO mlinfn.device_sample (at, seconds, busy_s, measured_s, joules, energy_s, watts, energy_source, device, node)
SELECT at, 3600, 1800, 3600, 720000, 3600, 200, 'c', 'GPU-0', 'node-a'
FROM generate_series(timestamptz '2026-03-01 01:00', '2026-03-04 12:00', '1 hour') AS t (at);
INSERT INTO mlinfn.spawn (clicked_at, username, server, model, ready_at, outcome) VALUES
    ('2026-03-01 05:59', 'alice', '', 'A100', '2026-03-01 05:59:05', 'ready'),
    ('2026-03-01 06:59', 'carol', '', 'A100', '2026-03-01 06:59:08.5', 'ready'),
    ('2026-03-01 07:59', 'carol', '', 'A100', NULL, 'failed');
INSERT INTO mlinfn.history_cursor VALUES ('batch@', 'epoch', 'x', 10, 6, 1, '2026-03-04 11:59');
INSERT INTO mlinfn.day_state SELECT d, now() FROM generate_series('2026-03-01'::date, '2026-03-04', '1 day') AS d;
INSERT INTO mlinfn_schedule.schedule (owner, name, kind, spec, grace_s, catch_up, retry_s, job, added_at, planned_until)
VALUES ('alice', 'nightly', 'every', '600', 60, 10, 60, '{}', '2026-03-04', '2026-03-04');
INSERT INTO mlinfn_schedule.run (schedule, due_at, start_at, state)
SELECT number, at, at, state FROM mlinfn_schedule.schedule, (VALUES
    (timestamptz '2026-03-04 11:40', 'done'), ('2026-03-04 11:50', 'due'), ('2026-03-04 12:10', 'due')
) AS run (at, state);
"""


@contextmanager
def history(postgres: LocalServer) -> Iterator[str]:
    """DSN of a database that holds it, entered as its owner; gone afterwards."""
    with fresh_database(postgres) as made:
        migrate(made)
        with connect(made) as connection:
            connection.execute(HISTORY)
        yield made


def figures(metrics: Iterable[Metric]) -> dict[str, dict[tuple[str, ...], float]]:
    """Name of the sample → values of its labels → figure."""
    told: dict[str, dict[tuple[str, ...], float]] = {}
    for metric in metrics:
        for sample in metric.samples:
            told.setdefault(sample.name, {})[tuple(sample.labels.values())] = sample.value
    return told


def as_reports(dsn: str) -> str:
    """The same database for who may only read."""
    return make_conninfo(dsn, options="-c role=mlinfn_reports")


def scrape(url: str) -> dict[str, dict[tuple[str, ...], float]]:
    with urllib.request.urlopen(url, timeout=30) as response:
        return figures(text_string_to_metric_families(response.read().decode()))
