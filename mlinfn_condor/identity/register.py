"""Where the register is kept: a Protocol, and its twin in memory. The real one (database.py) passes the same tests."""

from collections.abc import Callable
from threading import Lock
from typing import Protocol

from mlinfn_condor.identity.people import Changes, People, changed

Decide = Callable[[People], Changes]
"""What is to be written, decided on the register as it is at that moment."""


class Register(Protocol):
    """The site's people. Every method raises StoreError when the database does not answer."""

    def people(self) -> People:
        """Everybody at this moment."""
        ...

    def change(self, decide: Decide) -> tuple[People, Changes]:
        """Decide and write, one at a time, all or nothing; how the register is now, and what was written."""
        ...


class TwinRegister:
    """The register of one process."""

    def __init__(self) -> None:
        self._people = People()
        self._lock = Lock()

    def people(self) -> People:
        """See Register."""
        return self._people

    def change(self, decide: Decide) -> tuple[People, Changes]:
        """See Register."""
        with self._lock:
            changes = decide(self._people)
            self._people = changed(self._people, changes)
            return self._people, changes
