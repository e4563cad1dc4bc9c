"""What did projects that own devices contribute, use, lend, and wait for?"""

from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.report import Column, Report, Table, total, with_figures

COLUMNS = (
    Column("contributed_h", "device hours that the project brought in"),
    Column("own_h", "of them, held by the project itself"),
    Column("lent_h", "held by others"),
    Column("idle_h", "nobody had them"),
    Column("starts", "first starts of the owner's jobs on its own devices"),
    Column("wait_mean_s", "from submit to start, mean", adds_up=False),
    Column("wait_worst_s", "the longest", adds_up=False),
)


def report(asked: Asked) -> Report:
    """Contributed = own + lent + idle, in every row."""
    columns = (Column("owner", "project, and what else the row is about", adds_up=False), *COLUMNS)
    waits = {key: figures for key, *figures in asked.rows("owners_waits")}
    shares = {row[0]: row[2:] for row in asked.rows("owners")}
    nothing, never = (0.0,) * 4, (0, None, None)
    rows = tuple((key, *shares.get(key, nothing), *waits.get(key, never)) for key in sorted({*shares, *waits}))
    starts = sum(figures[0] for figures in waits.values())
    waited = sum(figures[0] * figures[1] for figures in waits.values())
    overall = {
        "wait_mean_s": waited / starts if starts else None,
        "wait_worst_s": max((figures[2] for figures in waits.values()), default=None),
    }
    line = with_figures(total(columns, rows), columns, overall)
    table = Table(
        "owners", "Devices that projects own, and who had them", columns, rows, line, ("own_h", "lent_h", "idle_h")
    )
    return Report(
        "owners",
        "Owners",
        "What did owning projects contribute, use themselves and lend, and how long did they wait?",
        asked.period,
        asked.by,
        (table,),
        ("contributed_h = own_h + lent_h + idle_h",) if rows else ("no device of a project in this period",),
    )
