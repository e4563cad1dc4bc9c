"""One look shared by all scrapes of a moment, so that a second Prometheus, or a reload in a browser, costs nothing."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

T = TypeVar("T")

REST = 9
"""A look that took a second is kept for nine more: however slow they are, looks take a tenth of the time at most."""


class Shared(Generic[T]):
    """`look`, in a thread of its own, one at a time and at most once in `seconds`."""

    def __init__(
        self,
        look: Callable[[], T],
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._look = look
        self._seconds = seconds
        self._clock = clock
        self._turn = threading.Lock()
        self._asked: Future[T] | None = None
        self._until = float("-inf")

    def ask(self) -> "Future[T]":
        """What is kept, or the look that is under way, or one that begins now; one that failed is not kept.

        Who does not wait for the end leaves the answer for those who come later.
        """
        with self._turn:
            if self._asked is None or (self._asked.done() and self._clock() >= self._until):
                self._asked = Future()
                threading.Thread(target=self._run, args=(self._asked,), name="look", daemon=True).start()
            return self._asked

    def _run(self, asked: "Future[T]") -> None:
        began = self._clock()
        try:
            seen = self._look()
        except BaseException as error:
            asked.set_exception(error)
            return
        done = self._clock()
        self._until = done + max(self._seconds, (done - began) * REST)
        asked.set_result(seen)
