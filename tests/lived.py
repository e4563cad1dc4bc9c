"""Time that a test lived through: how long something waits of its own accord, whatever the machine does meanwhile."""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

BEAT_SECONDS = 0.05


@contextmanager
def lived() -> Iterator[Callable[[], float]]:
    """Tells the seconds since; of a moment in which this process stood still it counts two beats at most."""
    seconds, over = [0.0], threading.Event()

    def beat() -> None:
        before = time.monotonic()
        while not over.wait(BEAT_SECONDS):
            now = time.monotonic()
            seconds[0] += min(now - before, 2 * BEAT_SECONDS)
            before = now

    beating = threading.Thread(target=beat)
    beating.start()
    try:
        yield lambda: seconds[0]
    finally:
        over.set()
        beating.join()
