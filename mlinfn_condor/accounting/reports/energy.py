"""What energy did the devices take, and for whom?"""

from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.report import Column, Report, Table, total

COLUMNS = (
    Column("kwh", "energy that the devices measured, claimed or not; empty: unknown"),
    Column("attributed_kwh", "of it, taken by attempts: their mean power over the hours they held a device"),
    Column("unattributed_kwh", "the rest: unclaimed devices, and what the attempts' means do not show"),
    Column("known_h", "device hours with a measured energy"),
    Column("unknown_h", "device hours of the pool without one"),
    Column(
        "source", "counter: the device's own; integrated: power over time; simulated: no real energy", adds_up=False
    ),
)
WHO = ("user", "project", "class")


def report(asked: Asked) -> Report:
    """kWh = attributed + unattributed, in every row with a known energy."""
    columns = (Column(asked.by.replace("-", "_"), "what the row is about", adds_up=False), *COLUMNS)
    rows = tuple((row[0], *row[2:]) for row in asked.rows("energy"))
    line = total(columns, rows)
    table = Table("energy", "Energy of the devices", columns, rows, line, ("attributed_kwh", "unattributed_kwh"))
    return Report(
        "energy",
        "Energy",
        "How much energy did the devices take, and for whom?",
        asked.period,
        asked.by,
        (table,),
        _notes(asked.by, line[3], line[5], any("simulated" in str(row[6]) for row in rows))
        if rows
        else ("nothing is known",),
    )


def _notes(by: str, unattributed: object, unknown_h: object, simulated: bool) -> tuple[str, ...]:
    notes = ["kwh = attributed_kwh + unattributed_kwh"]
    if isinstance(unknown_h, int | float) and unknown_h > 0:
        notes.append(f"the energy of {unknown_h:,.2f} device hours is unknown; it is in no figure")
    if isinstance(unattributed, int | float) and unattributed < 0:
        notes.append(
            "unattributed_kwh is below zero where attempts know their energy and the devices' samples are missing"
        )
    if by in WHO:
        notes.append("hours with and without a measured energy are the devices', so they stand in the last row")
    if simulated:
        notes.append("simulated devices take no energy; theirs is made up")
    return tuple(notes)
