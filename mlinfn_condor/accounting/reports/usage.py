"""Who uses the platform, to do what, and how many at once?"""

from typing import Any

from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.period import shown
from mlinfn_condor.accounting.reports.report import Column, Report, Table, total

MOST_TASKS = 10
COLUMNS = (
    Column("attempts", "attempts that ended in the period; a job that was displaced has several"),
    Column("displaced", "of them, displaced by somebody with precedence"),
    Column("failed", "of them, failed or vanished with their node"),
    Column("device_h", "device hours claimed"),
    Column("share_percent", "of the claimed device hours of all rows", adds_up=False),
    Column("cpu_h", "core hours of their slots"),
)
Demand = list[tuple[Any, ...]]
"""Slice of time, or the hour of a peak of sessions; class, device model, most people, attempts, devices."""


def report(asked: Asked) -> Report:
    """Attempts and hours; then concurrency, peaks of sessions, spawn times and tasks."""
    columns = (Column(asked.by.replace("-", "_"), "what the row is about", adds_up=False), *COLUMNS)
    rows = tuple((row[0], *row[2:]) for row in asked.rows("usage"))
    demand = asked.rows("usage_demand", slice=asked.period.slice)
    tables = (
        Table("usage", "Use of the platform", columns, rows, total(columns, rows), ("device_h",)),
        _concurrency(asked, demand),
        _peaks(demand),
        _spawns(asked),
        _tasks(asked),
    )
    notes = (
        "peaks are the most at one moment within one class and device model: do not add them up",
        "spawn times are those of sessions that became ready",
    )
    return Report(
        "usage",
        "Usage",
        "Who uses the platform, and to do what?",
        asked.period,
        asked.by,
        tables,
        notes if rows else ("nobody used the platform in this period",),
    )


def _concurrency(asked: Asked, demand: Demand) -> Table:
    columns = (
        Column(asked.period.slice, "slice of time", adds_up=False),
        Column("class", "priority class", adds_up=False),
        Column("device_model", "none: without a device", adds_up=False),
        Column("users_peak", "most people at one moment", adds_up=False),
        Column("running_peak", "most sessions, workers or trainings at one moment", adds_up=False),
        Column("devices_peak", "most devices held at one moment", adds_up=False),
    )
    rows = tuple((slice_, *rest) for slice_, hour, *rest in demand if hour is None)
    return Table("concurrency", "The most at one moment", columns, rows)


def _peaks(demand: Demand) -> Table:
    columns = (
        Column("device_model", "none: sessions without a device", adds_up=False),
        Column("devices_peak", "most devices that sessions held at one moment", adds_up=False),
        Column("sessions_peak", "most sessions at one moment, in the same hour", adds_up=False),
        Column("users_peak", "most people with one, in the same hour", adds_up=False),
        Column("hour", "first hour of the peak (UTC)", adds_up=False),
    )
    rows = tuple(
        (model, devices, sessions, users, shown(hour)) for _, hour, _, model, users, sessions, devices in demand if hour
    )
    return Table("interactive_peaks", "Peak demand of sessions", columns, rows)


def _spawns(asked: Asked) -> Table:
    columns = (
        Column("device_model", "what was asked for", adds_up=False),
        Column("spawns", "clicks on Start"),
        Column("ready", "became a session that answers"),
        Column("failed", "did not"),
        Column("stopped", "were given up by the person"),
        Column("median_s", "from click to session: half of them were faster", adds_up=False),
        Column("p95_s", "19 of 20 were faster", adds_up=False),
        Column("worst_s", "the slowest", adds_up=False),
    )
    rows = tuple(tuple(row) for row in asked.rows("usage_spawns"))
    return Table("spawns", "Spawn times that people saw", columns, rows, total(columns, rows))


def _tasks(asked: Asked) -> Table:
    columns = (
        Column("task", "what the submit calls it", adds_up=False),
        Column("class", "priority class", adds_up=False),
        Column("users", "who ran it", adds_up=False),
        Column("attempts", "attempts that ended in the period", adds_up=False),
        Column("device_h", "device hours claimed", adds_up=False),
    )
    rows = tuple(tuple(row) for row in asked.rows("usage_tasks", most=MOST_TASKS))
    return Table("tasks", f"What they ran: the first {MOST_TASKS}", columns, rows, bars=("device_h",))
