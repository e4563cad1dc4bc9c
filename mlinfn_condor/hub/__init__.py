"""JupyterHub on the pool: every session of a user is an HTCondor job, and the hub tells only what the pool knows."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from mlinfn_condor.hub.spawner import CondorSpawner

__all__ = ["CondorSpawner"]


def __getattr__(name: str) -> Any:
    """The spawner when somebody asks for it: importing JupyterHub takes a second, and the command line has none."""
    if name == "CondorSpawner":
        from mlinfn_condor.hub.spawner import CondorSpawner

        return CondorSpawner
    raise AttributeError(f"{__name__} has no {name}")
