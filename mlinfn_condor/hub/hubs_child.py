"""What the hub starts ends with it: a hub that is killed leaves nobody behind, who would keep a port, or act twice."""

import os
from collections.abc import Mapping

from mlinfn_condor.stopping import end_with

_HUB = "MLINFN_HUB_PID"


def told() -> dict[str, str]:
    """In the hub: what to put into the environment of what it starts."""
    return {_HUB: str(os.getpid())}


def end_with_the_hub(environment: Mapping[str, str]) -> None:
    """In what it started. Whoever was started by somebody else stays."""
    if hub := environment.get(_HUB):
        end_with(int(hub), "hub")
