"""Numbers and lists as people say them."""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime

from mlinfn_condor.pool import Device


def span(seconds: float) -> str:
    """`45 s`, `12 min`, `3 h 20 min`, `4 days`."""
    seconds = max(0, round(seconds))
    if seconds < 120:
        return f"{seconds} s"
    if seconds < 7200:
        return f"{seconds // 60} min"
    if seconds < 2 * 86400:
        return f"{seconds // 3600} h {seconds % 3600 // 60} min"
    return f"{seconds // 86400} days"


def clock(epoch: int, now: int) -> str:
    """The local time of an epoch second, with the date if that was on another day."""
    then, today = datetime.fromtimestamp(epoch).astimezone(), datetime.fromtimestamp(now).astimezone()
    return then.strftime("%H:%M" if then.date() == today.date() else "%Y-%m-%d %H:%M")


def listed(parts: Iterable[str], last: str = "and") -> str:
    """`a`, `a and b`, `a, b and c`."""
    *front, end = list(parts) or ["none"]
    return f"{', '.join(front)} {last} {end}" if front else end


def counted(devices: Iterable[Device]) -> str:
    """`8 T4 (simulated) and 1 A30`; a simulated device always says so."""
    return listed(f"{count} {label}" for label, count in Counter(device.label for device in devices).items())


def plural(count: int, noun: str) -> str:
    """`1 core`, `2 cores`."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
