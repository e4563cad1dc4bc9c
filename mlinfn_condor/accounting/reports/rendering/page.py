"""Reports as one page of HTML for the management: it holds all it needs, and asks the network for nothing."""

from collections.abc import Sequence
from html import escape

from mlinfn_condor.accounting.reports.rendering.bars import bars
from mlinfn_condor.accounting.reports.rendering.figures import shown
from mlinfn_condor.accounting.reports.report import Report, Table, Value

STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; color: #222; max-width: 1100px; margin: 2em auto; padding: 0 1em }
h1 { margin-bottom: 0 } h2 { border-top: 2px solid #1b6ca8; padding-top: .6em; margin-top: 2em }
.period, .note, dl { color: #555 } table { border-collapse: collapse; margin: .6em 0 } .wide { overflow-x: auto }
th, td { padding: .25em .7em; border-bottom: 1px solid #e3e3e3; white-space: nowrap } th { text-align: left }
td.figure, th.figure { text-align: right; font-variant-numeric: tabular-nums } tr.total td { font-weight: bold }
svg { width: 100%; max-width: 900px } svg text { font: 12px system-ui, sans-serif }
dt { float: left; clear: left; width: 13em; font-family: monospace } dd { margin-left: 14em }
@media print { h2 { break-before: page } summary { display: none } }
"""


def page(reports: Sequence[Report], title: str = "Use of the platform") -> str:
    """A whole document. The reports are of one period."""
    contents = "".join(f'<li><a href="#{r.name}">{escape(r.title)}</a>: {escape(r.question)}</li>' for r in reports)
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>'
        f'<meta name="viewport" content="width=device-width"><style>{STYLE}</style></head><body>'
        f'<h1>{escape(title)}</h1><p class="period">{escape(str(reports[0].period))}</p><ul>{contents}</ul>'
        f"{''.join(_section(report) for report in reports)}</body></html>\n"
    )


def _section(report: Report) -> str:
    notes = "".join(f'<p class="note">{escape(note)}.</p>' for note in report.notes)
    tables = "".join(_table(table) for table in report.tables)
    return (
        f'<section id="{report.name}"><h2>{escape(report.title)}</h2><p><strong>{escape(report.question)}</strong> '
        f"By {escape(report.by)}.</p>{notes}{tables}</section>"
    )


def _table(table: Table) -> str:
    if not table.rows:
        return f'<h3>{escape(table.title)}</h3><p class="note">Nothing in this period.</p>'
    figures = [all(not isinstance(row[place], str) for row in table.rows) for place in range(len(table.columns))]
    head = "".join(
        f'<th{_mark(figure)} title="{escape(column.meaning)}">{escape(column.name)}</th>'
        for column, figure in zip(table.columns, figures, strict=True)
    )
    body = "".join(f"<tr>{_cells(row, figures)}</tr>" for row in table.rows)
    total = f'<tr class="total">{_cells(table.total, figures, "")}</tr>' if table.total else ""
    words = "".join(f"<dt>{escape(c.name)}</dt><dd>{escape(c.meaning)}</dd>" for c in table.columns if c.meaning)
    return (
        f"<h3>{escape(table.title)}</h3>{bars(table)}"
        f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{body}{total}</tbody></table></div>'
        f"<details open><summary>What the figures are</summary><dl>{words}</dl></details>"
    )


def _cells(row: Sequence[Value], figures: Sequence[bool], unknown: str | None = None) -> str:
    return "".join(
        f"<td{_mark(figure)}>{escape(unknown if value is None and unknown is not None else shown(value))}</td>"
        for value, figure in zip(row, figures, strict=True)
    )


def _mark(figure: bool) -> str:
    return ' class="figure"' if figure else ""
