"""Sums over everything recorded, at the price of the days that changed.

A settled day is read once and its sums are kept; days that are open (today, and what was marked since) are read each
time. So a reading costs as much after ten years as after ten days, and gives what the reports give.
"""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Any

from mlinfn_condor.accounting.metrics.statements import SQL
from mlinfn_condor.store import Connection

Sums = dict[tuple[str, ...], list[float]]
"""Labels → figures."""
State = dict[date, datetime]
"""Settled days, and when each was added up."""


class KeptDays:
    """Sums of one statement, whose rows are: day, `labels` labels, figures."""

    def __init__(self, statement: str, labels: int) -> None:
        self._statement = statement
        self._labels = labels
        self._days: dict[date, tuple[datetime, Sums]] = {}
        self._total: Sums = {}

    def total(self, connection: Connection, settled: State, unsettled: list[date], now: datetime) -> Sums:
        """Of all days. Raises psycopg's errors; what was kept before stays right."""
        stale = {day for day, (at, _) in self._days.items() if day not in settled or settled[day] != at}
        fresh = [day for day in settled if day not in self._days or day in stale]
        rows = connection.execute(
            SQL.text(self._statement), {"settled": fresh, "open": unsettled, "now": now}
        ).fetchall()
        read: dict[date, Sums] = {day: {} for day in (*fresh, *unsettled)}
        for row in rows:
            read[row[0]][row[1 : 1 + self._labels]] = [float(figure) for figure in row[1 + self._labels :]]
        if stale or fresh:
            for day in stale:
                del self._days[day]
            self._days |= {day: (settled[day], read[day]) for day in fresh}
            self._total = added(sums for _, sums in self._days.values())
        return added((self._total, *(read[day] for day in unsettled)))


def added(parts: Iterable[Sums]) -> Sums:
    """Figure by figure."""
    total: Sums = {}
    for part in parts:
        for labels, figures in part.items():
            if labels in total:
                mine = total[labels]
                for place, figure in enumerate(figures):
                    mine[place] += figure
            else:
                total[labels] = list(figures)
    return total


def list_days(connection: Connection, now: datetime) -> tuple[State, list[date]]:
    """Settled days with their mark, and the open ones."""
    rows: list[tuple[Any, ...]] = connection.execute(SQL.text("list_days"), {"now": now}).fetchall()
    return {day: at for day, whole, at in rows if whole}, [day for day, whole, _ in rows if not whole]
