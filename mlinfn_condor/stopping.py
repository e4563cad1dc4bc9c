"""How what runs until it is stopped hears of it."""

import ctypes
import os
import signal
import sys
from threading import Event

_SET_PARENT_DEATH_SIGNAL = 1
"""Of prctl(2)."""


def told_to_stop() -> Event:
    """Set by SIGTERM, and by Ctrl-C. In a program's main thread."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop


def end_with(parent: int, who: str) -> None:
    """Have the kernel send us SIGTERM when the parent dies, however it does; ends at once if it is dead already.

    Whoever is killed can end nobody himself. `who` is what to call the parent.
    """
    ctypes.CDLL(None).prctl(_SET_PARENT_DEATH_SIGNAL, signal.SIGTERM, 0, 0, 0)
    if os.getppid() != parent:
        sys.exit(f"the {who} is gone")
