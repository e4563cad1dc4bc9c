"""The SQL of this package."""

from mlinfn_condor.store import Statements

SQL = Statements("mlinfn_condor.ingestion")
