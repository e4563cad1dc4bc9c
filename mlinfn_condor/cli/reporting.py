"""`mlinfn report …`: how granted devices were allocated, whether they worked, who used them, what would be enough."""

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from io import StringIO
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.cli.files import refuse_unwritable, write_whole
from mlinfn_condor.errors import UserError

if TYPE_CHECKING:
    from mlinfn_condor.accounting.reports import Report, Table

PIPED_WIDTH = 240
"""Columns when nobody looks: wide enough that no cell breaks over lines."""


class Format(StrEnum):
    """What a report is written as."""

    TABLE = "table"
    CSV = "csv"
    JSON = "json"
    HTML = "html"


def report(
    name: str = typer.Argument(help="allocation, utilisation, usage, rightsizing, owners, energy, or all."),
    since: str = typer.Option("30d", help="Begin: a date or time in UTC, today, yesterday, or 12h, 30d, 4w, 1y ago."),
    until: str | None = typer.Option(None, help="End, in the same words; default: now."),
    by: str | None = typer.Option(None, help="day, week, month, user, project, class or device-model."),
    form: Format = typer.Option(Format.TABLE, "--format", help="html: one page that needs no network."),
    output: Path | None = typer.Option(None, help="Write into this file."),
    explain: str | None = typer.Option(None, metavar="KEY", help="The rows that make the figures of the row KEY."),
    dsn: str | None = typer.Option(None, help="Database to ask; default: $MLINFN_DATABASE, else the private one."),
) -> None:
    """Answer from the recorded past: allocation, utilisation, usage, rightsizing, owners, energy.

    Example: mlinfn report utilisation --since 1y --by month
    """
    from mlinfn_condor.accounting import reports
    from mlinfn_condor.store import connect, dsn_of_site
    from mlinfn_condor.store.local import REPORTS

    period = reports.period_between(since, until, datetime.now(UTC).replace(microsecond=0))
    names = reports.NAMES if name == "all" else (name,)
    if name == "all" and (by or explain):
        raise UserError(
            "`report all` takes each report's own grouping: leave --by and --explain out, or name one report"
        )
    for each in names:
        reports.check(each, by)
    if output:
        refuse_unwritable(output)
    with connect(dsn_of_site(dsn, role=REPORTS), application="mlinfn report") as connection:
        if explain is not None:
            told = [reports.explain(connection, name, period, explain, by)]
        else:
            told = [reports.answer(connection, each, period, by) for each in names]
    _write(told, form, output)


def _write(told: "Sequence[Report]", form: Format, output: Path | None) -> None:
    from mlinfn_condor.accounting.reports import rendering

    if form is Format.TABLE:
        _print(told, output)
        return
    text = {Format.CSV: rendering.as_csv, Format.JSON: rendering.as_json, Format.HTML: rendering.page}[form](told)
    if output:
        write_whole(output, text)
    else:
        sys.stdout.write(text)


def _print(told: "Sequence[Report]", output: Path | None) -> None:
    from rich.console import Console
    from rich.markup import escape

    file = StringIO() if output else sys.stdout
    console = Console(file=file, width=None if file.isatty() else PIPED_WIDTH, highlight=False)
    for each in told:
        console.print(f"[bold]{escape(each.title)}[/] by {each.by}, {each.period}")
        for table in each.tables:
            if table.rows:
                console.print(_drawn(table))
        for note in each.notes:
            console.print(escape(f"  {note}"))
        console.print()
    if isinstance(file, StringIO) and output:
        write_whole(output, file.getvalue())


def _drawn(table: "Table") -> object:
    from rich import box
    from rich.markup import escape
    from rich.table import Table as Drawn

    from mlinfn_condor.accounting.reports.rendering.figures import shown

    drawn = Drawn(
        title=table.title, box=box.SIMPLE_HEAD, pad_edge=False, title_justify="left", show_footer=bool(table.total)
    )
    for place, column in enumerate(table.columns):
        words = any(isinstance(row[place], str) for row in table.rows)
        footer = table.total[place] if table.total else ""
        drawn.add_column(
            column.name,
            footer="" if footer is None else escape(shown(footer)),
            justify="left" if words else "right",
            overflow="fold",
        )
    for row in table.rows:
        drawn.add_row(*(escape(shown(value)) for value in row))
    return drawn
