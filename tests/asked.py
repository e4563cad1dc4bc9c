"""A pool asked in a thread: for twins, which never hold up a process."""

import asyncio
from collections.abc import Callable
from typing import TypeVar

from mlinfn_condor.pool import Pool

Done = TypeVar("Done")


class InThread:
    """Questions to a pool of this process, without its event loop standing still."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    async def ask(self, question: Callable[[Pool], Done]) -> Done:
        """See Asked."""
        return await asyncio.to_thread(question, self._pool)
