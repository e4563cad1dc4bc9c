"""Days that changed, and their months, are added up again; months past their time are dropped, their sums stay."""

from collections.abc import Callable
from datetime import date

from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.store import Connection

KEPT_BY_MONTH = ("attempt", "job", "device_sample")


def roll_up(connection: Connection, on_day: Callable[[date], None] = lambda _: None) -> list[date]:
    """Add up every day that changed since it was, oldest first, then the months; each in a transaction of its own.

    Returns those days.
    """
    days = _listed(connection, "list_changed_days")
    for day in days:
        with connection.transaction():
            connection.execute(SQL.text("roll_up_day"), {"day": day})
        on_day(day)
    for month in _listed(connection, "list_changed_months"):
        with connection.transaction():
            connection.execute(SQL.text("roll_up_month"), {"month": month})
    return days


def retire(connection: Connection, months: int) -> list[str]:
    """Drop rows older than `months`; 0 keeps everything. What was not added up yet is added up first."""
    if months <= 0:
        return []
    roll_up(connection)
    dropped: list[str] = []
    with connection.transaction():
        for table in KEPT_BY_MONTH:
            found = connection.execute(SQL.text("drop_months"), {"table": table, "months": months}).fetchall()
            dropped += [row[0] for row in found]
    return dropped


def _listed(connection: Connection, statement: str) -> list[date]:
    with connection.transaction():
        return [row[0] for row in connection.execute(SQL.text(statement)).fetchall()]
