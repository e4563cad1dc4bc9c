"""What the averages that HTCondor keeps of a job's devices say (docs/metering.md). Pure."""

from collections.abc import Iterable


def over_all(averages: Iterable[tuple[float | None, float | None]], count: int) -> float | None:
    """Busy devices or watts while they were measured, for all `count` devices; None: not measured.

    `averages`: of each kind of device its `…AverageUsage` and its `…MeasuredAverageUsage`.
    """
    total = known = 0.0
    for average, measured in averages:
        if average is not None and measured is not None and measured > 0:
            total += average
            known += measured
    return total / known * count if known > 0 and count else None
