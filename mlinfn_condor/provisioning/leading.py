"""Who of several provisioners acts: one at a time."""

import fcntl
import os
from pathlib import Path
from typing import Protocol


class Leader(Protocol):
    """A claim to be the one who acts."""

    def leads(self) -> bool:
        """Whether it is this one, now: asked before each turn. One that was killed leads no more."""
        ...

    def resign(self) -> None:
        """Let somebody else."""
        ...


class FileLeader:
    """One a machine: whoever holds the lock of a file. The kernel takes it back when its process ends."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self._lock: int | None = None

    def leads(self) -> bool:
        """See Leader."""
        if self._lock is not None:
            return True
        self._file.parent.mkdir(parents=True, exist_ok=True)
        lock = os.open(self._file, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(lock)
            return False
        self._lock = lock
        return True

    def resign(self) -> None:
        """See Leader."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


class Both:
    """Who leads here and there: of this machine's provisioners one, and of those all over the cluster one."""

    def __init__(self, here: Leader, there: Leader) -> None:
        self._here, self._there = here, there

    def leads(self) -> bool:
        """See Leader."""
        return self._here.leads() and self._there.leads()

    def resign(self) -> None:
        """See Leader."""
        self._there.resign()
        self._here.resign()
