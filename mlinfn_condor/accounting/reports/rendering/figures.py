"""A figure for a person's eyes."""

from mlinfn_condor.accounting.reports.report import Value

UNKNOWN = "—"


def shown(value: Value) -> str:
    """Two decimals at most, thousands apart; a figure that is not zero never looks like it."""
    if value is None:
        return UNKNOWN
    if isinstance(value, str):
        return value
    if isinstance(value, int):
        return f"{value:,}"
    if 0 < abs(value) < 0.005:
        return "0.00" if abs(value) < 1e-9 else "<0.01" if value > 0 else ">-0.01"
    return f"{value:,.2f}"
