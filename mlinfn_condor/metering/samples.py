"""From a driver's utilisation samples to the mean of the time that they cover. Pure."""

from collections.abc import Sequence

LONGEST_SAMPLE_MICROSECONDS = 2_000_000
"""NVML's samples stand for a sixth of a second to a second; a longer distance to the one before is a hole."""


def mean(before: int, samples: Sequence[tuple[int, int]]) -> float | None:
    """Mean of (time in microseconds, percent) from 0 to 1, each weighed with the time since the sample before.

    `samples` in the order of time, all after `before`, the last one seen (0: none yet, then the first one only marks
    the beginning). None where they tell nothing. Some drivers leave entries unwritten, whose percentages are noise.
    """
    covered, busy = 0, 0.0
    for time, percent in samples:
        if before and 0 <= percent <= 100:
            weight = min(time - before, LONGEST_SAMPLE_MICROSECONDS)
            covered += weight
            busy += weight * percent / 100
        before = time
    return busy / covered if covered else None
