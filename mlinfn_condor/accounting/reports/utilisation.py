"""Are the claimed devices employed, or do they idle?"""

from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.report import Column, Report, Table, Value, total, with_figures

COLUMNS = (
    Column("claimed_h", "device hours held by attempts; each second of a device counts once"),
    Column("busy_h", "of them, the device was computing"),
    Column("idle_h", "it was not"),
    Column(
        "lost_h", "work that nobody has: since the last checkpoint of an attempt that failed or left nothing behind"
    ),
    Column("unmeasured_h", "nobody knows whether it was computing"),
    Column("busy_percent", "busy of the measured hours", adds_up=False),
    Column("handover_h", "attempts waited for whoever they displaced; not part of claimed_h"),
    Column(
        "kwh", "energy of the attempts, as far as it was measured; that of simulated devices is made up: see `energy`"
    ),
    Column("energy_unknown_h", "claimed hours without a measured energy"),
)


def report(asked: Asked) -> Report:
    """Claimed = busy + idle + lost + unmeasured, in every row."""
    columns = (Column(asked.by.replace("-", "_"), "what the row is about", adds_up=False), *COLUMNS)
    rows = tuple((row[0], *row[2:]) for row in asked.rows("utilisation"))
    line = total(columns, rows)
    table = Table(
        "utilisation",
        "What claimed devices did",
        columns,
        rows,
        with_figures(line, columns, {"busy_percent": busy_percent(line[2], line[3])}),
        ("busy_h", "idle_h", "lost_h", "unmeasured_h"),
    )
    notes = ("claimed_h = busy_h + idle_h + lost_h + unmeasured_h; a device that nobody claimed is in `allocation`",)
    return Report(
        "utilisation",
        "Utilisation",
        "Are the allocated devices employed or idling?",
        asked.period,
        asked.by,
        (table,),
        notes if rows else ("no device was claimed in this period",),
    )


def busy_percent(busy: Value, idle: Value) -> float | None:
    """Of what was measured; None where nothing was."""
    if not isinstance(busy, int | float) or not isinstance(idle, int | float) or busy + idle <= 0:
        return None
    return 100 * busy / (busy + idle)
