"""One source of what is shown: asked once for all viewers, and never in vain more than every few seconds."""

import time
from collections.abc import Callable
from concurrent.futures import Future
from typing import Generic, TypeVar

from mlinfn_condor.accounting.metrics.snapshot import Shared
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.store import Error

T = TypeVar("T")
RETRY_SECONDS = 5
"""How soon a source that did not answer is asked again."""


class Source(Generic[T]):
    """What a `look` gave last, when, and what is wrong if the one after it failed."""

    def __init__(
        self,
        name: str,
        look: Callable[[], T],
        seconds: float,
        spent: Callable[[T], float] = lambda _: 0,
        rest: float = 0,
    ) -> None:
        """`spent`: seconds of CPU that a look took here, for each of which `rest` seconds pass until the next.

        How long it took altogether is what it cost those who were asked: `Shared` lets them rest as well.
        """
        self.name = name
        self.latest: T | None = None
        self.at = 0.0
        """Epoch seconds of the end of the look."""
        self.trouble = ""
        """Why it is away; empty: it is not."""
        self.version = 0
        """Counts its news, being away among them."""
        self._shared = Shared(look, seconds)
        self._spent, self._rest = spent, rest
        self._taken: Future[T] | None = None
        self._not_before = 0.0

    def poll(self) -> bool:
        """Ask if it is time, take what has come; whether there is any news. Never waits."""
        if time.monotonic() < self._not_before:
            return False
        asked = self._shared.ask()
        if asked is self._taken or not asked.done():
            return False
        self._taken = asked
        self.version += 1
        try:
            seen = asked.result()
            self.latest, self.at, self.trouble = seen, time.time(), ""
            self._not_before = time.monotonic() + self._spent(seen) * self._rest
        except (MlinfnError, Error, OSError) as error:
            self.trouble = " ".join(str(error).split()) or type(error).__name__
            self._not_before = time.monotonic() + RETRY_SECONDS
        return True

    @property
    def known(self) -> bool:
        """Whether it ever answered, or is known to be away."""
        return self.latest is not None or bool(self.trouble)
