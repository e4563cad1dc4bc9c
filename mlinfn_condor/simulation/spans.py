"""Spans of simulated time as people write them. Pure."""

import re

_SPAN = re.compile(r"(\d+(?:\.\d+)?)([smhd])")
SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
LONGEST = 366 * SECONDS["d"]


def seconds_in(text: str) -> float:
    """Seconds in `90s`, `30m`, `2h`, `1.5d` or sums of them, `1d 8h`; `0` is no time. Raises ValueError."""
    parts = text.split()
    found = [_SPAN.fullmatch(part) for part in parts]
    if parts == ["0"]:
        return 0.0
    if not parts or not all(found):
        raise ValueError(f"{text!r} is no time: write 90s, 30m, 2h, 1d, or 1d 8h")
    seconds = sum(float(part[1]) * SECONDS[part[2]] for part in found if part)
    if seconds > LONGEST:
        raise ValueError(f"{text!r} is longer than a year: write less")
    return seconds


def told(seconds: float) -> str:
    """For a person, to about a hundredth: `40 s`, `12 min`, `22.3 h`, `3.1 d`."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    if seconds < 2 * SECONDS["h"]:
        return f"{seconds / SECONDS['m']:.0f} min"
    if seconds < 2 * SECONDS["d"]:
        return f"{seconds / SECONDS['h']:.1f} h"
    return f"{seconds / SECONDS['d']:.1f} d"
