"""What the window reads from the database: somebody's last runs, and the administrators' sheets."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.pool.leases import LeaseKind, TwinLeases
from mlinfn_condor.store import connect, migrate
from mlinfn_condor.web.administration import Places, look
from mlinfn_condor.web.answers import Answers
from mlinfn_condor.web.sizes import advice

RUNS = """
INSERT INTO mlinfn.attempt (access_point, cluster, proc, run, submitted_at, started_at, ended_at, outcome, username,
    project, class, node, slot, devices, cpus, cpus_asked, cpus_used, memory_asked_mb, memory_peak_mb)
SELECT 'batch@', number, 0, 1, now() - interval '2 h', now() - interval '2 h', now() - number * interval '1 min',
    CASE number WHEN 1 THEN 'displaced' ELSE 'completed' END, CASE WHEN number < 13 THEN 'alice' ELSE 'bob' END,
    'alpha', 'batch', 'n1', 's1', '{GPU-0}', 16, 16, 3, 32000, 4000
FROM generate_series(1, 20) AS t (number);
INSERT INTO mlinfn_schedule.schedule (owner, name, kind, spec, grace_s, catch_up, retry_s, job, added_at, planned_until)
VALUES ('alice', 'nightly', 'every', '600', 60, 10, 60, '{}', now(), now());
INSERT INTO mlinfn_schedule.run (schedule, due_at, start_at, state)
SELECT number, now() - interval '1 h', now() - interval '1 h', 'due' FROM mlinfn_schedule.schedule;
"""


@pytest.fixture
def filled(database: str) -> str:
    migrate(database)
    with connect(database, autocommit=True) as connection:
        connection.execute(RUNS)
    return database


def test_the_last_ten_runs_of_one_person(filled):
    runs = Answers(lambda: filled, 60).runs("alice")
    assert [one.job for one in runs] == [f"batch@{number}.0" for number in range(1, 11)]
    assert runs[0].outcome == "displaced"
    assert runs[0].ended_at < datetime.now(UTC)
    assert advice(runs)[0].startswith("You asked for 16 CPUs; your last ten runs used 3.0 on average")


def test_what_was_read_is_kept_for_a_while(filled):
    asked = []

    def dsn() -> str:
        asked.append(1)
        return filled

    answers = Answers(dsn, 60)
    for _ in range(3):
        answers.runs("alice")
    answers.runs("bob")
    assert len(asked) == 2


def test_administrators_see_schedules_leases_and_what_is_late(filled, tmp_path):
    leases = TwinLeases()
    leases.give("group_batch.alpha.alice@site", LeaseKind.FLOOR, 2, 600)
    journal = tmp_path / "glideins.jsonl"
    journal.write_text('cut off"}\n{"at": 1.0e9, "kind": "joined", "subject": "t4-1", "detail": "8 cores"}\n')
    seen = look(Places(journal=journal, dsn=lambda: filled, schedules_dsn=lambda: filled, leases=lambda: leases))
    sheets = {sheet.title: sheet for sheet in seen.sheets}
    assert sheets["Schedules"].rows[0][:3] == ("alice/nightly", "every 600", "due")
    assert sheets["Leases (boosts)"].rows[0][:3] == ("group_batch.alpha.alice@site", "floor", "2")
    assert sheets["Glideins"].rows[0][0] == "t4-1"
    assert sheets["Services"].away
    assert {alarm.name for alarm in seen.alarms} == {"MlinfnSchedulerLate", "MlinfnRecorderStale"}


def test_one_sheet_that_cannot_be_filled_leaves_the_others(tmp_path):
    def away() -> str:
        raise OSError("no such host")

    seen = look(Places(services=tmp_path / "none", schedules_dsn=away, leases=TwinLeases))
    sheets = {sheet.title: sheet for sheet in seen.sheets}
    assert sheets["Schedules"].away == "no such host"
    assert "mlinfn services run" in sheets["Services"].away
    assert sheets["Leases (boosts)"].away == ""
