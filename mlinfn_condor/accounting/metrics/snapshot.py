"""One look shared by all scrapes of a moment, so that a second Prometheus, or a reload in a browser, costs nothing."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")

REST = 9
"""A look that took a second is kept for nine more: however slow they are, looks take a tenth of the time at most."""


class Shared(Generic[T]):
    """`look`, at most once in `seconds`; who comes meanwhile waits for it, or gets what is kept."""

    def __init__(self, look: Callable[[], T], seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self._look = look
        self._seconds = seconds
        self._clock = clock
        self._turn = threading.Lock()
        self._kept: T | None = None
        self._until = float("-inf")

    def get(self) -> T:
        """Raises what `look` raises, and then keeps nothing."""
        with self._turn:
            began = self._clock()
            if self._kept is None or began >= self._until:
                self._kept = None
                self._kept = self._look()
                done = self._clock()
                self._until = done + max(self._seconds, (done - began) * REST)
            return self._kept
