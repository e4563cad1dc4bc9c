"""What a person writes as a period."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.accounting.reports import Period, period_between
from mlinfn_condor.errors import UserError

NOW = datetime(2026, 11, 24, 12, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("since", "until", "shown"),
    [
        ("2026-11-01", "2026-11-02", "2026-11-01 to 2026-11-02 UTC"),
        ("2026-11-01T06:30", "2026-11-01T07:00:01", "2026-11-01 06:30:00 to 2026-11-01 07:00:01 UTC"),
        ("2026-11-01T06:30+02:00", "2026-11-02", "2026-11-01 04:30:00 to 2026-11-02 UTC"),
        ("2026-11-01T06:30Z", "2026-11-02", "2026-11-01 06:30:00 to 2026-11-02 UTC"),
        ("yesterday", "today", "2026-11-23 to 2026-11-24 UTC"),
        ("12h", None, "2026-11-24 00:30:00 to 2026-11-24 12:30:00 UTC"),
        ("30d", None, "2026-10-25 12:30:00 to 2026-11-24 12:30:00 UTC"),
        ("2w", "7d", "2026-11-10 12:30:00 to 2026-11-17 12:30:00 UTC"),
        ("1y", "now", "2025-11-24 12:30:00 to 2026-11-24 12:30:00 UTC"),
    ],
)
def test_moments_are_in_utc(since: str, until: str | None, shown: str) -> None:
    assert str(period_between(since, until, NOW)) == shown


@pytest.mark.parametrize("words", ["soon", "", "2026-13-01", "99999y", "3 days", "-1d"])
def test_no_moment_is_told_with_what_can_be_written(words: str) -> None:
    with pytest.raises(UserError, match=r"--since .* is no moment: write a date"):
        period_between(words, None, NOW)


@pytest.mark.parametrize(
    ("since", "until"), [("2026-11-02", "2026-11-01"), ("2026-11-02", "2026-11-02"), ("2027-01-01", None)]
)
def test_an_empty_period_is_an_error(since: str, until: str | None) -> None:
    with pytest.raises(UserError, match="the period is empty"):
        period_between(since, until, NOW)


@pytest.mark.parametrize(("since", "slices"), [("1d", "day"), ("90d", "week"), ("1y", "month")])
def test_a_course_has_some_dozens_of_slices(since: str, slices: str) -> None:
    period = period_between(since, None, NOW)
    assert isinstance(period, Period)
    assert period.slice == slices
