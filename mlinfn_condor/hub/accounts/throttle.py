"""Guessing made slow: few failed sign-ins per name and minute."""

from collections import deque
from collections.abc import Callable
from time import monotonic

WINDOW_SECONDS = 60


class Throttle:
    """Counts attempts when they begin, so that a hundred at the same moment are no way round it."""

    def __init__(self, limit: int, clock: Callable[[], float] = monotonic) -> None:
        """At most `limit` attempts that fail, for each name in each minute."""
        self._limit, self._clock = limit, clock
        self._begun: dict[str, deque[float]] = {}

    def begin(self, name: str) -> bool:
        """Whether an attempt may be made; it counts as failed unless `succeeded` follows."""
        now = self._clock()
        self._forget(now)
        begun = self._begun.setdefault(name, deque())
        if len(begun) >= self._limit:
            return False
        begun.append(now)
        return True

    def succeeded(self, name: str) -> None:
        """The name's owner is in: his slips are forgotten."""
        self._begun.pop(name, None)

    def _forget(self, now: float) -> None:
        for name in list(self._begun):
            begun = self._begun[name]
            while begun and now - begun[0] >= WINDOW_SECONDS:
                begun.popleft()
            if not begun:
                del self._begun[name]
