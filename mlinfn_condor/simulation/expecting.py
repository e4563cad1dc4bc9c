"""What the contracts let each project expect, moment by moment, given what it asks for. Pure.

As HTCondor shares out (25.14): each project first its pledge, as far as it asks for it; the rest in proportion to the
pledges of those who have one and ask for more; what they leave, alike to those without a pledge.
"""

from collections.abc import Mapping


def fair(capacity: float, pledges: Mapping[str, float], demand: Mapping[str, float]) -> dict[str, float]:
    """Devices of each project. No project gets more than it asks for, and all of them no more than the capacity.

    Where the pledges of those who ask are more than the capacity, each gets its part of them.
    """
    first = {project: min(asked, pledges.get(project, 0.0)) for project, asked in demand.items()}
    promised = sum(first.values())
    scale = min(1.0, capacity / promised) if promised else 1.0
    given = {project: scale * devices for project, devices in first.items()}
    for weights in (pledges, dict.fromkeys((p for p in demand if not pledges.get(p)), 1.0)):
        given = _poured(capacity - sum(given.values()), weights, demand, given)
    return given


def _poured(
    left: float, weights: Mapping[str, float], demand: Mapping[str, float], given: Mapping[str, float]
) -> dict[str, float]:
    """What is left, in proportion to the weights, until nobody with a weight wants more."""
    filled = dict(given)
    while left > 1e-9:
        hungry = {p: weights[p] for p in demand if weights.get(p, 0) > 0 and demand[p] - filled[p] > 1e-9}
        if not hungry:
            break
        total = sum(hungry.values())
        step = min(left / total, min((demand[p] - filled[p]) / weight for p, weight in hungry.items()))
        for project, weight in hungry.items():
            filled[project] += step * weight
        left -= step * total
    return filled
