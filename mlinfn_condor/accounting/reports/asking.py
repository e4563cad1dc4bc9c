"""Which reports there are, and by what each may be grouped."""

from collections.abc import Callable
from dataclasses import dataclass

from mlinfn_condor.accounting.reports import allocation, energy, owners, rightsizing, usage, utilisation
from mlinfn_condor.accounting.reports.database import Asked
from mlinfn_condor.accounting.reports.period import Period
from mlinfn_condor.accounting.reports.report import Report
from mlinfn_condor.errors import UserError
from mlinfn_condor.store import Connection

TIME = ("day", "week", "month")
WHO = ("user", "project", "class")
MODEL = "device-model"


@dataclass(frozen=True)
class Kind:
    """A report: how it is made, what it may be grouped by, the default first."""

    make: Callable[[Asked], Report]
    by: tuple[str, ...]


KINDS = {
    "allocation": Kind(allocation.report, (MODEL, *TIME, *WHO)),
    "utilisation": Kind(utilisation.report, (MODEL, *TIME, *WHO)),
    "usage": Kind(usage.report, ("user", "project", "class", MODEL, *TIME)),
    "rightsizing": Kind(rightsizing.report, (MODEL,)),
    "owners": Kind(owners.report, (MODEL, "project", *TIME)),
    "energy": Kind(energy.report, ("month", "week", "day", *WHO, MODEL)),
}
NAMES = tuple(KINDS)


def allowed(name: str) -> tuple[str, ...]:
    """What a report may be grouped by, its default first."""
    return KINDS[name].by


def check(name: str, by: str | None) -> str:
    """The grouping, or the report's default. Raises UserError for a report or grouping that there is not."""
    if name not in KINDS:
        raise UserError(f"there is no report {name!r}; there are {', '.join(NAMES)}, and all")
    if by is None:
        return allowed(name)[0]
    if by not in allowed(name):
        raise UserError(f"{name} is not grouped by {by!r}; --by is one of {', '.join(allowed(name))}")
    return by


def answer(connection: Connection, name: str, period: Period, by: str | None = None) -> Report:
    """The report, read in one look at the database. Raises UserError, StoreError."""
    return KINDS[name].make(Asked(connection, period, check(name, by)))
