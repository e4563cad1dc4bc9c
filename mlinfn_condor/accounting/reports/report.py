"""What an answer is: tables of figures with their units, and the sentences that belong to them."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlinfn_condor.accounting.reports.period import Period

Value = str | int | float | None
"""None: unknown, which is not zero."""


@dataclass(frozen=True)
class Column:
    """A figure: its name ends in its unit (_h hours, _s seconds, _mb MiB, _kwh, _percent)."""

    name: str
    meaning: str
    adds_up: bool = True
    """False: the total line leaves it out, for a peak or a quotient of rows is not a sum."""


@dataclass(frozen=True)
class Table:
    """Rows of figures; the first column is the row's key."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Value, ...], ...]
    total: tuple[Value, ...] | None = None
    bars: tuple[str, ...] = ()
    """Columns to draw as one stacked bar per row; they are parts of one whole."""

    def records(self) -> list[dict[str, Value]]:
        """The rows by the columns' names."""
        return [dict(zip((column.name for column in self.columns), row, strict=True)) for row in self.rows]


@dataclass(frozen=True)
class Report:
    """One answer to one question."""

    name: str
    title: str
    question: str
    period: Period
    by: str
    tables: tuple[Table, ...]
    notes: tuple[str, ...] = field(default=())


def total(columns: Sequence[Column], rows: Sequence[Sequence[Value]]) -> tuple[Value, ...]:
    """The line below the rows: sums of what adds up; what nobody knows of any row is unknown."""
    return ("total", *(_sum(i, rows) if column.adds_up else None for i, column in enumerate(columns) if i))


def with_figures(line: Sequence[Value], columns: Sequence[Column], figures: Mapping[str, Value]) -> tuple[Value, ...]:
    """The total line with quotients put where no sum is."""
    return tuple(figures.get(column.name, value) for column, value in zip(columns, line, strict=True))


def _sum(place: int, rows: Sequence[Sequence[Value]]) -> Value:
    known = [value for row in rows if isinstance(value := row[place], int | float)]
    return sum(known) if known or not rows else None
