"""How a long act tells a person how far it is, without knowing who listens."""

from contextlib import AbstractContextManager, nullcontext
from typing import Protocol


class Step(Protocol):
    """One step of a long act, while it runs."""

    def advance(self, amount: int) -> None:
        """So much more of the step's total is done."""


class Report(Protocol):
    """Somebody who is told about steps. `with report.step(…) as step:`, one step at a time, from one thread."""

    def step(self, name: str, total: int | None = None, unit: str = "") -> AbstractContextManager[Step]:
        """A step that ends with the block; an exception from the block means that it failed.

        `total` None: nobody knows how long it takes. Unit "B" means bytes.
        """


class SilentReport:
    """Tells nobody: for tests, and for acts that must not write to the terminal."""

    def step(self, name: str, total: int | None = None, unit: str = "") -> AbstractContextManager[Step]:
        """A step that nobody sees."""
        return nullcontext(_SilentStep())


class _SilentStep:
    def advance(self, amount: int) -> None:
        """Move nothing."""
