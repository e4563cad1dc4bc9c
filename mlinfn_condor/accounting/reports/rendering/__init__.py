"""Reports for eyes and for programs."""

from mlinfn_condor.accounting.reports.rendering.page import page
from mlinfn_condor.accounting.reports.rendering.plain import as_csv, as_json

__all__ = ["as_csv", "as_json", "page"]
