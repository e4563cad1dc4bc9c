"""Metrics as Prometheus is told them, from the declarations that tell them."""

from collections.abc import Iterator
from importlib import import_module

from generating import writing
from mlinfn_condor.accounting.metrics.families import Family, Histogram

SOURCES = {
    "Of the endpoint itself": "mlinfn_condor.accounting.metrics.exporter",
    "What was used, from the database": "mlinfn_condor.accounting.metrics.use",
    "What there is, from the database": "mlinfn_condor.accounting.metrics.recorded",
    "What is now, from the collector": "mlinfn_condor.accounting.metrics.shown",
    "Services, from their runner": "mlinfn_condor.services.metrics",
    "Backups, from the services' runner": "mlinfn_condor.backup.metrics",
}
"""Modules that declare metrics, by the heading of their part of the page."""
_UNITS = ("seconds", "joules", "bytes", "watts", "celsius")


def page() -> str:
    """A table for each source."""
    return writing.page(part for heading, module in SOURCES.items() for part in (f"## {heading}", _table(module)))


def declared(module: str) -> Iterator[Family | Histogram]:
    """What the module declares, in its order."""
    yield from (one for one in vars(import_module(module)).values() if isinstance(one, Family | Histogram))


def _table(module: str) -> str:
    return writing.table(
        ("metric", "type", "unit", "labels", "meaning"),
        [
            (
                writing.code(one.name),
                type(one).__name__.lower(),
                next((unit for unit in _UNITS if unit in one.name), ""),
                writing.codes(one.labels),
                writing.plain(one.help),
            )
            for one in declared(module)
        ],
    )
