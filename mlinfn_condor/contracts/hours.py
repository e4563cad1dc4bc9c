"""Hours of the week in a contract, and as a ClassAd expression. Pure."""

import re
from typing import Annotated

from pydantic import AfterValidator

DAYS = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
"""In the order in which the clock counts them."""
_HOURS = re.compile(r"(\d{1,2})-(\d{1,2})")
HOUR = "$(MLINFN_HOUR)"
WEEKDAY = "$(MLINFN_WEEKDAY)"


def bounds(hours: str) -> tuple[int, int]:
    """First hour, and the hour that is the first one outside. Raises ValueError."""
    found = _HOURS.fullmatch(hours)
    first, last = (int(part) for part in found.groups()) if found else (0, 0)
    if first == last or first > 23 or last > 24:
        raise ValueError(f"{hours!r} are no hours: write 8-20, or 22-6 for a night")
    return first, last


def weekdays(days: str) -> tuple[int, ...]:
    """Numbers of the days (0 is Sunday) in `mon-fri`, `sat,sun` or `fri-mon`. Raises ValueError."""
    found: set[int] = set()
    for part in days.replace(" ", "").split(","):
        first, _, last = part.partition("-")
        if first not in DAYS or (last or first) not in DAYS:
            raise ValueError(f"{days!r} are no days: write mon-fri, or sat,sun")
        start, end = DAYS.index(first), DAYS.index(last or first)
        found |= {(start + step) % 7 for step in range((end - start) % 7 + 1)}
    return tuple(sorted(found))


def _are_hours(text: str) -> str:
    bounds(text)
    return text


def _are_days(text: str) -> str:
    weekdays(text)
    return text


Hours = Annotated[str, AfterValidator(_are_hours)]
Days = Annotated[str, AfterValidator(_are_days)]


def within(hours: str, days: str) -> str:
    """Expression that is true in those hours of those days; a night belongs to the day on which it begins."""
    first, last = bounds(hours)
    today = weekdays(days)
    if first < last:
        return f"({_on(today)} && {HOUR} >= {first} && {HOUR} < {last})"
    morning = tuple(sorted((day + 1) % 7 for day in today))
    return f"(({_on(today)} && {HOUR} >= {first}) || ({_on(morning)} && {HOUR} < {last}))"


def _on(days: tuple[int, ...]) -> str:
    if len(days) == len(DAYS):
        return "true"
    return f'stringListMember(string({WEEKDAY}), "{",".join(map(str, days))}")'
