"""How were the granted resources allocated?"""

from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.report import Column, Report, Table, total

COLUMNS = (
    Column("granted_h", "device hours that there were to use: in the inventory, or seen in use"),
    Column("claimed_h", "of them, held by sessions, Dask workers and training of the platform"),
    Column("interactive_h", "claimed by sessions"),
    Column("dask_h", "claimed by Dask workers"),
    Column("batch_h", "claimed by training"),
    Column("given_h", "given to a project for itself, as a VM or a server on loan"),
    Column("unallocated_h", "nobody had them"),
)


def report(asked: Asked) -> Report:
    """Granted = claimed + given + unallocated, in every row."""
    columns = (Column(asked.by.replace("-", "_"), "what the row is about", adds_up=False), *COLUMNS)
    rows = tuple((row[0], *row[2:]) for row in asked.rows("allocation"))
    table = Table(
        "allocation",
        "Granted device hours and who had them",
        columns,
        rows,
        total(columns, rows),
        ("interactive_h", "dask_h", "batch_h", "given_h", "unallocated_h"),
    )
    notes = ("granted_h = claimed_h + given_h + unallocated_h",)
    return Report(
        "allocation",
        "Allocation",
        "How were the granted devices allocated?",
        asked.period,
        asked.by,
        (table,),
        notes if rows else ("nothing was granted in this period",),
    )
