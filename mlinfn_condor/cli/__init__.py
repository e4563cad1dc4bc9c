"""The command `mlinfn`."""

from mlinfn_condor.cli.main import app, main

__all__ = ["app", "main"]
