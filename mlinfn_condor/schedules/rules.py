"""When a schedule is due; pure."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from apscheduler.triggers.cron import CronTrigger

from mlinfn_condor.errors import BadRequest

FIELDS = ("minute", "hour", "day", "month", "day_of_week")
DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_TICK = timedelta(microseconds=1)


@dataclass(frozen=True)
class Cron:
    """Five fields as in crontab(5), in a time zone. Raises BadRequest.

    When clocks go forward, a time that is left out comes an hour later by the clock. When they go back, what names its
    hours comes once, at the first of the two; what comes every hour comes in both.
    """

    expression: str
    zone: str = "UTC"

    def __post_init__(self) -> None:
        self._trigger()

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Due times after this moment, in UTC, ascending; without end, or none for a date that never comes."""
        trigger, names_hours = self._trigger(), self.expression.split()[1] != "*"
        found, now = None, moment + _TICK
        while (found := trigger.get_next_fire_time(found, now)) is not None:
            now = found.astimezone(UTC) + _TICK
            if not (names_hours and found.fold):
                yield found.astimezone(UTC)

    def _trigger(self) -> CronTrigger:
        fields = self.expression.split()
        if len(fields) != len(FIELDS):
            raise BadRequest(
                f"cron: {self.expression!r} has {len(fields)} fields, not 5: minute hour day month weekday"
            )
        if fields[2] != "*" and fields[4] != "*":
            raise BadRequest("cron: day and weekday at once mean `either` to cron: add two schedules")
        try:
            zone = ZoneInfo(self.zone)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise BadRequest(f"zone: there is no time zone {self.zone!r}: write one like Europe/Rome") from None
        try:
            named = dict(zip(FIELDS, [*fields[:4], _weekdays(fields[4])], strict=True))
            return CronTrigger(timezone=zone, **named)
        except ValueError as error:
            raise BadRequest(f"cron: {self.expression!r}: {error}") from None


@dataclass(frozen=True)
class Every:
    """Every so many seconds from an anchor on, whatever the runs take. Raises BadRequest."""

    seconds: int
    anchor: datetime

    def __post_init__(self) -> None:
        if self.seconds < 1:
            raise BadRequest(f"every: {self.seconds} is below 1 second")

    def after(self, moment: datetime) -> Iterator[datetime]:
        """Due times after this moment, in UTC, ascending, without end."""
        passed = (moment - self.anchor) // timedelta(seconds=self.seconds)
        number = max(0, passed) + 1
        while True:
            yield self.anchor + timedelta(seconds=self.seconds * number)
            number += 1


Rule = Cron | Every


def jitter_seconds(mark: str, most: int) -> int:
    """From 0 to `most`, the same for everybody who asks: two runners agree on when a run starts."""
    return int.from_bytes(hashlib.sha256(mark.encode()).digest()[:8]) % (most + 1)


def _weekdays(field: str) -> str:
    """By name: to APScheduler 0 is Monday, to cron it is Sunday, and so is 7."""
    if field == "*" or field.isalpha():
        return field
    days: set[int] = set()
    for part in field.lower().split(","):
        span, _, step = part.partition("/")
        first, dash, last = ("0", "-", "6") if span == "*" else span.partition("-")
        begin, end = _weekday(first), _weekday(last) if dash else 6 if step else _weekday(first)
        if end < begin:
            end += 7
        days |= {day % 7 for day in range(begin, end + 1, int(step or 1))}
    return ",".join(DAYS[day] for day in sorted(days))


def _weekday(text: str) -> int:
    day = DAYS.index(text) if text in DAYS else int(text)
    if not 0 <= day <= 7:
        raise ValueError(f"{text} is no weekday: 0 to 7, or sun to sat")
    return day
