"""How busy devices really are: from two readings of their monitors, the later against the one before."""

from collections.abc import Mapping
from typing import Any

STEP_PERCENT = 5
"""Shown in such steps: finer is noise, and every change goes to every browser."""


class Meter:
    """Remembers the last reading of each device, and what it came to."""

    def __init__(self) -> None:
        self._last: dict[tuple[str, str], tuple[float, float, float, float]] = {}
        self._busy: dict[tuple[str, str], int | None] = {}

    def busy(self, node: str, reading: Mapping[str, Any]) -> int | None:
        """Percent of the time between its two last readings in which the device computed; None: not known yet.

        A monitor that began anew has begun its counters anew (docs/metering.md), and is not compared with before.
        """
        figures = [reading.get(name) for name in ("CounterStart", "At", "BusySeconds", "MeasuredSeconds")]
        known = [float(value) for value in figures if isinstance(value, int | float)]
        if "Id" not in reading or len(known) != len(figures):
            return None
        key, now = (node, str(reading["Id"])), (known[0], known[1], known[2], known[3])
        before = self._last.get(key)
        if before is None or before[0] != now[0]:
            self._busy[key] = None
        elif now[1] > before[1]:
            measured = now[3] - before[3]
            share = min(1.0, max(0.0, (now[2] - before[2]) / measured)) if measured > 0 else None
            self._busy[key] = None if share is None else STEP_PERCENT * round(100 * share / STEP_PERCENT)
        self._last[key] = now
        return self._busy[key]
