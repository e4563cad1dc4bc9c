"""The answers: allocation, utilisation, usage, rightsizing, owners, energy, of any period and grouping."""

from mlinfn_condor.accounting.reports.asking import NAMES, allowed, answer, check
from mlinfn_condor.accounting.reports.explaining import explain
from mlinfn_condor.accounting.reports.period import Period, period_between
from mlinfn_condor.accounting.reports.report import Column, Report, Table

__all__ = ["NAMES", "Column", "Period", "Report", "Table", "allowed", "answer", "check", "explain", "period_between"]
