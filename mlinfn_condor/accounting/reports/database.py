"""What a report asks of the database."""

from dataclasses import dataclass
from typing import Any

from mlinfn_condor.accounting.reports.period import Period
from mlinfn_condor.store import Connection, Statements
from mlinfn_condor.store.connection import told_in_one_line

_SQL = Statements("mlinfn_condor.accounting.reports")


@dataclass(frozen=True)
class Asked:
    """A period and a grouping, and where to ask; `key`: only the row of this key, in the rows behind it."""

    connection: Connection
    period: Period
    by: str
    key: str | None = None

    @property
    def daily(self) -> bool:
        """Whether the sums of months are too coarse for it."""
        return self.key is not None or self.by in ("day", "week")

    def rows(self, statement: str, **more: str | int) -> list[tuple[Any, ...]]:
        """All rows of a statement of this package. Raises StoreError."""
        period = {"lo": self.period.since, "hi": self.period.until}
        asked = {**period, "by": self.by, "key": self.key, "daily": self.daily, **more}
        with told_in_one_line(f"report ({statement})"):
            self.connection.execute(_SQL.text("compile_nothing"))
            return self.connection.execute(_SQL.text(statement), asked).fetchall()
