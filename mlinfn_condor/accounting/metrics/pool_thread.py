"""The pool for threads: asked in a process of its own (`pool/apart.py`), by an event loop in a thread of its own."""

import asyncio
import threading
from collections.abc import Callable
from typing import TypeVar

from mlinfn_condor.pool import Pool
from mlinfn_condor.pool.apart import Asked, PoolApart

Done = TypeVar("Done")


class PoolFromThreads:
    """Any thread may ask; a collector that hangs is given up after `seconds`."""

    def __init__(self, seconds: float, apart: Asked | None = None) -> None:
        self._apart = apart or PoolApart(seconds)
        self._loop = asyncio.new_event_loop()
        threading.Thread(target=self._loop.run_forever, name="pool", daemon=True).start()

    def ask(self, question: Callable[[Pool], Done]) -> Done:
        """What `question` returns; it travels as a pickle. Raises PoolUnavailable."""
        return asyncio.run_coroutine_threadsafe(self._apart.ask(question), self._loop).result()

    def close(self) -> None:
        """End process and thread."""
        if isinstance(self._apart, PoolApart):
            asyncio.run_coroutine_threadsafe(self._apart.close(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
