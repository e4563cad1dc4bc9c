"""A simulation as one object for programs. Pure."""

from dataclasses import asdict
from typing import Any

from mlinfn_condor.simulation.playing import Simulation


def as_json(simulation: Simulation) -> dict[str, Any]:
    """Hours, seconds and waits are of the simulated time, but those that begin with `wall`."""
    return {
        "workload": simulation.workload.name,
        "jobs": simulation.workload.jobs,
        "speed": simulation.speed,
        "wall_s": round(simulation.wall_s, 1),
        "wall_late_s": round(simulation.late_s, 3),
        "limits": list(simulation.limits),
        "remarks": list(simulation.remarks),
        **_rounded(asdict(simulation.outcome)),
    }


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, 3)
    if isinstance(value, dict):
        return {name: _rounded(one) for name, one in value.items()}
    return [_rounded(one) for one in value] if isinstance(value, list | tuple) else value
