"""A year of a busy site in a database, made up by the server itself: attempts, samples, owners, sessions' starts."""

from datetime import UTC, datetime, timedelta

from mlinfn_condor.accounting import rolling
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.store import Connection, Statements

SQL = Statements("mlinfn_condor.bench")
FIRST = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 365
DEVICES = 16
_PARTS = 73
"""Five days at a time, so that progress shows."""


def fill(connection: Connection, attempts: int, report: Report) -> None:
    """Insert, and add every day up. `connection` is its owner's, in autocommit."""
    common = {"first": FIRST, "devices": DEVICES, "step": DAYS * 86400 / (attempts / DEVICES)}
    for day in range(0, DAYS + 28, 28):  # no month is shorter
        for table in ("attempt", "device_sample"):
            connection.execute(SQL.text("keep_month"), {"table": table, "moment": FIRST + timedelta(days=day)})
    for name in ("fill_devices", "fill_periods", "fill_spawns", "mark_days"):
        connection.execute(SQL.text(name), common)
    with report.step(f"make up {attempts:,} attempts", _PARTS) as step:
        for part in range(_PARTS):
            bounds = {"from": attempts * part // _PARTS, "to": attempts * (part + 1) // _PARTS}
            connection.execute(SQL.text("fill_attempts"), common | bounds)
            step.advance(1)
    days = DAYS // _PARTS
    with report.step(f"make up samples of {DEVICES} devices, every 30 s", _PARTS) as step:
        for part in range(_PARTS):
            start = FIRST + timedelta(days=part * days)
            connection.execute(SQL.text("fill_samples"), common | {"from": start, "to": start + timedelta(days=days)})
            step.advance(1)
    connection.execute(SQL.text("settle"))
    with report.step("add the days up", DAYS) as step:
        rolling.roll_up(connection, lambda _: step.advance(1))
    connection.execute(SQL.text("settle"))
