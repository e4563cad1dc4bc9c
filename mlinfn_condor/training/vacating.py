"""Hears that the job has to leave its slot, so that the loop can save its state within the checkpoint window.

HTCondor sends SIGTERM to the job's first process when the window opens, and SIGKILL to all of them when it closes (the
default is 30 s, `job_max_vacate_time` asks for another). A training script behind a shell needs `exec` to hear it.
"""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import NoReturn

LEFT_EARLY = 85
"""Exit status "saved, but not finished": what HTCondor's manual uses for a job that exits after a checkpoint.

While HTCondor vacates a job it ignores the status and puts the job back into the queue. The status matters when
somebody else sent the signal (a node that shuts down): `on_exit_remove` in training.sub then keeps the job queued.
"""


class Window:
    """Whether the checkpoint window is open; once open it stays so. Made by `leaving`."""

    def __init__(self, reader: int) -> None:
        self._poll = select.poll()
        self._poll.register(reader, select.POLLIN)

    @property
    def opened(self) -> bool:
        """Cheap enough (one system call) to ask after every batch."""
        return self.wait(0)

    def wait(self, seconds: float) -> bool:
        """Wait for the window to open, `seconds` at the longest; tells whether it is open."""
        return bool(self._poll.poll(seconds * 1000))

    def leave(self) -> NoReturn:
        """End the process with the status that says "saved, but not finished"."""
        raise SystemExit(LEFT_EARLY)


@contextmanager
def leaving() -> Iterator[Window]:
    """A Window that SIGTERM opens instead of ending the process; for the main thread only, as Python's signals are."""
    # A pipe, not threading.Event: a handler that runs while the main thread is inside Event.wait could deadlock.
    reader, writer = os.pipe()
    os.set_blocking(writer, False)

    def opened(_signal: int, _frame: FrameType | None) -> None:
        with suppress(BlockingIOError):  # full of earlier signals: it is open
            os.write(writer, b".")

    before = signal.signal(signal.SIGTERM, opened)
    try:
        yield Window(reader)
    finally:
        signal.signal(signal.SIGTERM, before)
        os.close(reader)
        os.close(writer)
