"""How what runs until it is stopped hears of it."""

import signal
from threading import Event


def told_to_stop() -> Event:
    """Set by SIGTERM, and by Ctrl-C. In a program's main thread."""
    stop = Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    return stop
