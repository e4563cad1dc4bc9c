"""The rows behind a figure; they add up to it."""

from mlinfn_condor.accounting.reports import allocation, energy, owners, rightsizing, usage, utilisation
from mlinfn_condor.accounting.reports.asking import check
from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.period import Period, shown
from mlinfn_condor.accounting.reports.report import Column, Report, Table, Value, total
from mlinfn_condor.errors import UserError
from mlinfn_condor.store import Connection

MOST = 200
"""Rows that are shown; the total is of all."""
LONGEST_DAYS = 31
"""Attempts are looked up in periods up to this; longer ones show sums of days."""
FUNCTIONS = {
    "allocation": "mlinfn.use_in, mlinfn.granted_days",
    "utilisation": "mlinfn.use_in",
    "usage": "mlinfn.use_in",
    "rightsizing": "mlinfn.size_spans_in",
    "owners": "mlinfn.use_in, mlinfn.granted_days",
    "energy": "mlinfn.device_hours_in, mlinfn.use_in, mlinfn.granted_days",
}
COLUMNS = {
    "allocation": allocation.COLUMNS,
    "utilisation": utilisation.COLUMNS,
    "usage": usage.COLUMNS,
    "owners": owners.COLUMNS[:4],
    "energy": energy.COLUMNS,
}
ATTEMPTS = (
    *(Column(name, "", False) for name in ("attempt", "user", "project", "class", "node", "device", "outcome")),
    Column("from", "UTC", False),
    Column("to", "UTC", False),
    Column("device_h", "hours of this device that belong to this attempt"),
)


def explain(connection: Connection, name: str, period: Period, key: str, by: str | None = None) -> Report:
    """What makes the row `key` of a report. Raises UserError when nothing does, StoreError."""
    asked = Asked(connection, period, check(name, by), key)
    parts = _sizes(asked) if name == "rightsizing" else _days(asked, name)
    if not parts.rows:
        raise UserError(
            f"no row of {name} by {asked.by} from {period} is called {key!r}; without --explain all are listed"
        )
    tables, notes = [_first(parts)], [f"read with {FUNCTIONS[name]}(since, until)", *_shortened(parts)]
    if name in ("allocation", "utilisation", "usage") and not key.startswith("("):
        if period.days <= LONGEST_DAYS:
            attempts, count = _attempts(asked)
            tables.append(attempts)
            notes.append(
                f"attempts, read with mlinfn.holdings(since, until): {len(attempts.rows)} of {count}, the longest"
            )
        else:
            notes.append(f"a period of at most {LONGEST_DAYS} days shows the attempts too")
    title = f"What makes {key!r} of {name}"
    return Report("explain", title, "Which rows make this figure?", period, asked.by, tuple(tables), tuple(notes))


def _days(asked: Asked, name: str) -> Table:
    columns = (Column("row", "day (UTC), node, device, and who", adds_up=False), *COLUMNS[name])
    rows = tuple(tuple(row[1:]) for row in asked.rows(name))
    return Table("rows", "Sums of days", columns, rows, total(columns, rows))


def _sizes(asked: Asked) -> Table:
    columns = (
        Column("quantity", "what was asked for or used", False),
        Column("value", "cores, or MiB", False),
        Column("tasks", "with this value"),
    )
    quantities = rightsizing.read(asked)[0].get(asked.key or "", {})
    rows: tuple[tuple[Value, ...], ...] = tuple(
        (quantity, value, tasks) for quantity, values in quantities.items() for value, tasks in values.items()
    )
    return Table("rows", "Number of tasks at each value", columns, rows)


def _attempts(asked: Asked) -> tuple[Table, int]:
    found = asked.rows("holdings", most=MOST)
    rows = tuple((*row[:7], shown(row[7]), shown(row[8]), row[9]) for row in found)
    count, hours = (found[0][10], found[0][11]) if found else (0, 0.0)
    line = ("total", *(None,) * (len(ATTEMPTS) - 2), hours)
    return Table("attempts", "Attempts, cut at days", ATTEMPTS, rows, line), count


def _first(table: Table) -> Table:
    return Table(table.name, table.title, table.columns, table.rows[:MOST], table.total)


def _shortened(table: Table) -> list[str]:
    return [f"{MOST} of {len(table.rows)} rows are shown; the total is of all"] if len(table.rows) > MOST else []
