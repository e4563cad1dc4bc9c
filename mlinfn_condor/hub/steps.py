"""The steps of a session's start, as they happen, for any number of people who watch."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass


@dataclass(frozen=True)
class Step:
    """One line of the progress page."""

    progress: int
    """Percent: how far the start is, not how long it takes."""
    message: str


class Steps:
    """Grows while a session starts, and ends with it; who comes late sees all of it."""

    def __init__(self) -> None:
        self._steps: list[Step] = []
        self._grown = asyncio.Event()
        self._over = False

    def tell(self, step: Step) -> None:
        """Add a step, unless it says what the last one said."""
        if not self._steps or self._steps[-1].message != step.message:
            self._steps.append(step)
            self._wake()

    def close(self) -> None:
        """The start is over, well or not."""
        self._over = True
        self._wake()

    async def follow(self) -> AsyncIterator[Step]:
        """All steps, then each new one at once, until the start is over."""
        told = 0
        while True:
            grown = self._grown
            while told < len(self._steps):
                yield self._steps[told]
                told += 1
            if self._over:
                return
            await grown.wait()

    def _wake(self) -> None:
        self._grown.set()
        self._grown = asyncio.Event()
