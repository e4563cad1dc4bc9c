"""How much would have been enough: percentiles of histograms, how sure they are, what room they would make. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil, comb, exp, lgamma, log

SERVED = 0.95
"""Part of the tasks that a proposed request would have served."""
SURE = 0.95
"""How sure the upper bound of that request is."""
FEWEST = 59
"""Fewer tasks have no such bound: 0.95 ** 59 is the first power below 1 - SURE."""
MEMORY_STEP_MB = 128
"""Requests of memory are rounded up to it by the pool."""

Histogram = Mapping[float, int]
"""Value: number of tasks."""


@dataclass(frozen=True)
class Node:
    """What a node has: cores, MiB, devices."""

    name: str
    cpus: int
    memory_mb: int
    devices: int


def percentile(histogram: Histogram, part: float) -> float:
    """The smallest value that at least `part` of the tasks do not exceed. The histogram has a task."""
    wanted = ceil(part * sum(histogram.values()) - 1e-9)
    return at_rank(histogram, max(1, wanted))


def at_rank(histogram: Histogram, rank: int) -> float:
    """The value of the task of this rank, from 1, in order of value."""
    seen = 0
    for value, tasks in sorted(histogram.items()):
        seen += tasks
        if seen >= rank:
            return value
    raise ValueError(f"rank {rank} of {seen} tasks")


def sure_rank(tasks: int, part: float = SERVED, sure: float = SURE) -> int | None:
    """The rank whose value is, `sure` sure, not below the true percentile. None: too few tasks for any.

    Each task is below the true percentile with probability `part`, independently of the others: the number of those
    below is binomial, and the rank is the first with P(number < rank) >= sure.
    """
    if tasks < 1 or 1 - part**tasks < sure:
        return None
    reached, below = 0.0, int(tasks * part - 8 * (tasks * part * (1 - part)) ** 0.5)
    for number in range(max(0, below), tasks):
        reached += _binomial(tasks, number, part)
        if reached >= sure:
            return number + 1
    return None


def whole_cores(average: float) -> int:
    """A request for an average use of cores."""
    return max(1, ceil(average - 1e-6))


def whole_memory_mb(peak: float) -> int:
    """A request for a peak of memory."""
    return max(1, ceil(peak / MEMORY_STEP_MB)) * MEMORY_STEP_MB


def holds(node: Node, cpus: float, memory_mb: float) -> int:
    """How many tasks of this request the node's cores and memory hold, devices left aside."""
    return min(int(node.cpus // max(cpus, 1)), int(node.memory_mb // max(memory_mb, 1)))


def bare_percent(node: Node, cpus: int, memory_mb: int, reserve_mb: int) -> int:
    """MLINFN_BARE_PERCENT with which the shape of each of the node's devices is still this request, 0 to 50.

    The inverse of 61-size-slots.conf: a device's cores are (cpus - 2 bare) / devices, its memory
    (memory - 2 bare) / devices - reserve.
    """
    free_cpus = 1 - node.devices * cpus / node.cpus
    free_memory = 1 - node.devices * (memory_mb + reserve_mb) / node.memory_mb
    return max(0, min(50, int(50 * min(free_cpus, free_memory))))


def _binomial(n: int, k: int, p: float) -> float:
    if n < 1000:
        return comb(n, k) * p**k * (1 - p) ** (n - k)
    return exp(lgamma(n + 1) - lgamma(k + 1) - lgamma(n - k + 1) + k * log(p) + (n - k) * log(1 - p))
