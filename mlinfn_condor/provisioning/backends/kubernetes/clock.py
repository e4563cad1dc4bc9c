"""The clock by which leases and news age: nobody sets it, and it goes on while the machine sleeps."""

import time


def running() -> float:
    """Seconds since this machine started."""
    return time.clock_gettime(time.CLOCK_BOOTTIME)
