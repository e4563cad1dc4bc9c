"""IPython extension: the first cell of a notebook waits until the session has its device, and says so in the notebook.

The kernel itself starts at once, so completion and the first keystrokes need not wait.
"""

import ast
import os
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from IPython.core.error import InputRejected
from IPython.display import display

from mlinfn_condor.session.handover import Handover, hide_devices, reveal_devices


class DeviceNotReady(InputRejected):
    """The wait for the device was interrupted; nothing of the cell was run."""

    def _render_traceback_(self) -> list[str]:
        return [f"{type(self).__name__}: {self}"]


class Gate:
    """Stands before the cells of one shell until the hand-over ends, then takes itself away."""

    def __init__(self, shell: Any, handover: Handover) -> None:
        self._shell, self._handover, self._interrupted = shell, handover, False

    def close(self) -> None:
        """From now on a cell waits. Silent requests of the front end don't: they run, and see no device."""
        hide_devices(os.environ)
        self._shell.events.register("pre_run_cell", self.wait)
        # IPython ignores what a pre_run_cell hook raises; a transformer of the cell's tree may refuse to run it.
        self._shell.ast_transformers.append(self)

    def wait(self, _cell: Any) -> None:
        """Block until the devices are here or the user interrupts; one line in the notebook changes in place."""
        line = None

        def say(sentence: str) -> None:
            nonlocal line
            content = {"text/plain": sentence}
            if line is None:
                line = display(content, raw=True, display_id=True)  # type: ignore[no-untyped-call]
            else:
                line.update(content, raw=True)

        try:
            with _interruptible():
                self._handover.wait(say)
        except KeyboardInterrupt:
            self._interrupted = True
        else:
            self._open()

    def visit(self, cell: ast.AST) -> ast.AST:
        """Refuse the cell whose wait was interrupted; IPython calls this before it runs a cell."""
        if self._interrupted:
            self._interrupted = False
            raise DeviceNotReady("interrupted while the device was being handed over; nothing of this cell was run")
        return cell

    def _open(self) -> None:
        reveal_devices(os.environ)
        self._shell.events.unregister("pre_run_cell", self.wait)
        self._shell.ast_transformers.remove(self)


@contextmanager
def _interruptible() -> Iterator[None]:
    """Make the interrupt button raise KeyboardInterrupt; for a cell with `await` ipykernel would only cancel a task."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def load_ipython_extension(shell: Any) -> None:
    """Called by IPython when the kernel starts; does nothing where there is nothing to wait for."""
    handover = Handover.around(os.environ)
    if handover is None or handover.is_over:
        reveal_devices(os.environ)
    else:
        Gate(shell, handover).close()
