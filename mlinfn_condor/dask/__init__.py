"""Dask workers as jobs of class dask: `from mlinfn_condor.dask import Cluster`."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlinfn_condor.dask.cluster import Cluster

__all__ = ["Cluster"]


def __getattr__(name: str) -> Any:
    # Each worker imports this package for what it does when it leaves, and needs nothing of what submits workers.
    if name == "Cluster":
        from mlinfn_condor.dask.cluster import Cluster

        return Cluster
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
