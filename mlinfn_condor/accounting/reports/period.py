"""The period that a report is about, from what a person writes. All of it is UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from mlinfn_condor.errors import UserError

_BACK = re.compile(r"(\d{1,5})([hdwmy])")
_DAYS = {"h": 1 / 24, "d": 1, "w": 7, "m": 30, "y": 365}
SHORTEST = (
    "a date (2026-11-24), a time (2026-11-24T18:00), today, yesterday, or a span back from now (12h, 30d, 4w, 1y)"
)


@dataclass(frozen=True)
class Period:
    """From `since` (included) to `until` (excluded), both aware and in UTC."""

    since: datetime
    until: datetime

    def __str__(self) -> str:
        return f"{shown(self.since)} to {shown(self.until)} UTC"

    @property
    def days(self) -> float:
        """Length in days."""
        return (self.until - self.since) / timedelta(days=1)

    @property
    def slice(self) -> str:
        """The slices of time in which a course over this period is told: some dozens at most."""
        return "day" if self.days <= 31 else "week" if self.days <= 200 else "month"


def shown(moment: datetime) -> str:
    """A moment without the parts that are zero."""
    form = "%Y-%m-%d" if (moment.hour, moment.minute, moment.second) == (0, 0, 0) else "%Y-%m-%d %H:%M:%S"
    return moment.strftime(form)


def period_between(since: str, until: str | None, now: datetime) -> Period:
    """Raises UserError: no such moment, or nothing between the two."""
    period = Period(moment("--since", since, now), moment("--until", until, now) if until else now)
    if period.since >= period.until:
        raise UserError(
            f"the period is empty: --since is {shown(period.since)}, --until {shown(period.until)} UTC; "
            "since has to come before until"
        )
    return period


def moment(option: str, words: str, now: datetime) -> datetime:
    """What a person means by `words`; without an offset it is UTC. Raises UserError."""
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    named = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    if words in named:
        return named[words]
    try:
        if back := _BACK.fullmatch(words):
            return now - timedelta(days=int(back[1]) * _DAYS[back[2]])
        meant = datetime.fromisoformat(words)
        return (meant if meant.tzinfo else meant.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise UserError(f"{option} {words!r} is no moment: write {SHORTEST}") from error
