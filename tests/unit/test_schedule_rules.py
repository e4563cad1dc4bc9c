"""Due times by the clock: daylight saving, misfires, weekdays as cron means them, and no due time twice or never."""

from datetime import UTC, datetime, timedelta
from itertools import islice, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.schedules.planning import Choice, Lateness, Misfire, Waiting, choose, plan
from mlinfn_condor.schedules.rules import Cron, Every, jitter_seconds

ROME = "Europe/Rome"


def at(text: str) -> datetime:
    return datetime.fromisoformat(f"2026-{text}").replace(tzinfo=UTC)


def told(rule, after: str, count: int) -> list[str]:
    return [f"{due:%m-%d %H:%M}" for due in islice(rule.after(at(after)), count)]


@pytest.mark.parametrize(
    ("expression", "after", "due"),
    [
        ("30 2 * * *", "03-28T00:00", ["03-28 01:30", "03-29 01:30", "03-30 00:30"]),  # 02:30 is left out: 03:30
        ("30 2 * * *", "10-24T00:00", ["10-24 00:30", "10-25 00:30", "10-26 01:30"]),  # 02:30 comes twice: the first
        ("30 * * * *", "10-24T23:45", ["10-25 00:30", "10-25 01:30", "10-25 02:30"]),  # each hour, also both of two
        ("*/30 * * * *", "03-29T00:15", ["03-29 00:30", "03-29 01:00", "03-29 01:30"]),
        ("0 3 * * 0", "03-24T00:00", ["03-29 01:00", "04-05 01:00"]),  # Sunday
        ("0 3 * * 7", "03-24T00:00", ["03-29 01:00"]),
        ("0 12 * * 1-5", "11-27T00:00", ["11-27 11:00", "11-30 11:00"]),  # Friday, Monday
        ("0 12 * * fri-sun/2", "11-26T00:00", ["11-27 11:00", "11-29 11:00", "12-04 11:00"]),
        ("0 0 29 2 *", "01-01T00:00", []),
    ],
)  # fmt: skip
def test_cron_in_a_time_zone(expression: str, after: str, due: list[str]) -> None:
    if expression == "0 0 29 2 *":
        assert next(Cron(expression, ROME).after(at(after))).year == 2028
        return
    assert told(Cron(expression, ROME), after, len(due)) == due


def test_a_due_time_is_after_the_moment_and_never_at_it() -> None:
    assert told(Cron("0 * * * *"), "01-01T05:00", 1) == ["01-01 06:00"]
    assert told(Every(600, at("01-01T00:00")), "01-01T00:10", 2) == ["01-01 00:20", "01-01 00:30"]


@pytest.mark.parametrize(
    ("expression", "zone", "why"),
    [
        ("* * *", "UTC", "has 3 fields, not 5"),
        ("0 0 1 * 1", "UTC", "add two schedules"),
        ("61 0 * * *", "UTC", "61"),
        ("0 0 * * 9", "UTC", "no weekday"),
        ("0 0 * * *", "Rome", "there is no time zone 'Rome'"),
    ],
)
def test_what_cannot_be_is_refused_with_its_cure(expression: str, zone: str, why: str) -> None:
    with pytest.raises(BadRequest, match=why):
        Cron(expression, zone)


HOURLY = Cron("0 * * * *")


@pytest.mark.parametrize(
    ("misfire", "runs", "missed"),
    [
        (Misfire.SKIP, ["06:00"], 5),
        (Misfire.ONCE, ["06:00"], 5),
        (Misfire.ALL, ["04:00", "05:00", "06:00"], 3),
    ],
)
def test_what_was_missed_follows_the_rule(misfire: Misfire, runs: list[str], missed: int) -> None:
    planned = plan(HOURLY, Lateness(misfire, catch_up=2), at("01-01T00:30"), at("01-01T06:00") + timedelta(seconds=9))
    assert [f"{due:%H:%M}" for due in planned.runs] == runs
    assert planned.missed == missed


def test_one_run_for_all_that_was_missed_when_none_is_prompt() -> None:
    planned = plan(HOURLY, Lateness(Misfire.ONCE), at("01-01T00:30"), at("01-01T06:30"))
    assert [f"{due:%H:%M}" for due in planned.runs] == ["06:00"]
    assert plan(HOURLY, Lateness(Misfire.SKIP), at("01-01T00:30"), at("01-01T06:30")).runs == ()


def test_a_year_without_a_runner_is_looked_back_on_for_a_month_only() -> None:
    planned = plan(Cron("0 0 * * *"), Lateness(Misfire.ALL, catch_up=100), at("01-01T00:30"), at("12-31T12:00"))
    assert len(planned.runs) == 31


RULES = st.one_of(
    st.builds(Every, st.integers(30, 5000), st.just(at("03-01T00:00:07"))),
    st.sampled_from([Cron(each, ROME) for each in ("*/7 * * * *", "30 2 * * *", "15 1,2,3 * * *", "0 */5 * * *")]),
)


@settings(max_examples=60, deadline=None)
@given(
    RULES, st.sampled_from(["03-28T12:00", "10-24T12:00", "06-01T00:00"]), st.lists(st.integers(1, 7200), max_size=25)
)
def test_however_often_one_looks_each_due_time_is_seen_once(rule, start: str, steps: list[int]) -> None:
    begin = now = at(start)
    late = Lateness(Misfire.ALL, timedelta(0), 10_000)
    seen: list[datetime] = []
    for step in steps:
        planned = plan(rule, late, now, now + timedelta(seconds=step))
        seen += planned.runs
        assert planned.missed == 0
        now = planned.until
    assert seen == list(plan(rule, late, begin, now).runs)
    assert all(first < second for first, second in pairwise(seen))


def waiting(minute: int) -> Waiting:
    due = at("01-01T00:00") + timedelta(minutes=minute)
    return Waiting(due, 0, due)


@pytest.mark.parametrize(
    ("misfire", "active", "overlap", "start", "skip"),
    [
        (Misfire.ONCE, 0, True, (1, 2, 3), ()),
        (Misfire.ONCE, 0, False, (3,), (1, 2)),
        (Misfire.ONCE, 1, False, (), (1, 2)),
        (Misfire.SKIP, 1, False, (), (1, 2, 3)),
        (Misfire.ALL, 1, False, (), ()),
        (Misfire.ALL, 0, False, (1,), ()),
    ],
)
def test_one_at_a_time(misfire: Misfire, active: int, overlap: bool, start, skip) -> None:
    now = at("01-01T00:10")
    chosen = choose(map(waiting, (3, 1, 2, 59)), active, Lateness(misfire), now, overlap=overlap)
    assert chosen == Choice(tuple(map(waiting, start)), tuple(map(waiting, skip)))


def test_jitter_is_within_its_bound_and_the_same_for_all() -> None:
    found = {jitter_seconds(f"1/{number}", 10) for number in range(500)}
    assert found == set(range(11))
    assert jitter_seconds("1/a", 3600) == jitter_seconds("1/a", 3600)
