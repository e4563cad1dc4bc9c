"""A loop that goes on where it was, in three lines: begin with `state`, and after each step `keep` it.

    with resumable(Path("checkpoints")) as training:
        epoch, model = unpack(training.state) if training.state else (0, untrained())
        while epoch < EPOCHS:
            epoch, model = epoch + 1, improved(model)
            training.keep(lambda: pack(epoch, model))

Everything that the next step depends on belongs into the state: the model, the optimiser, the number of the step, the
state of the random generators or a seed per step. Then the end is the same however often the loop was interrupted.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from mlinfn_condor.training.checkpointing import Checkpoint
from mlinfn_condor.training.vacating import Window, leaving


class Resumable:
    """One training. Invariant: a death at any moment costs what was computed since the last save, and no more."""

    def __init__(
        self, checkpoint: Checkpoint, window: Window, every_seconds: float, stint_seconds: float | None = None
    ) -> None:
        self.state = checkpoint.load()
        """What was saved last; None at the very beginning. CheckpointsDamaged if nothing of it is whole."""
        self._checkpoint, self._window = checkpoint, window
        self._every, self._stint = every_seconds, stint_seconds
        self._began = self._saved = time.monotonic()

    def keep(self, pack: Callable[[], bytes]) -> None:
        """After each step: save `pack()` when it is time to; when the window is open, save and end with LEFT_EARLY.

        `pack` is called only when something is saved. A step should take less than the checkpoint window.
        """
        now = time.monotonic()
        over = self._window.opened or (self._stint is not None and now - self._began >= self._stint)
        if over or now - self._saved >= self._every:
            self._checkpoint.save(pack())
            self._saved = time.monotonic()
        if over:
            self._window.leave()


@contextmanager
def resumable(folder: Path, *, every_seconds: float = 60, stint_seconds: float | None = None) -> Iterator[Resumable]:
    """A training with its checkpoints in `folder`; in the main thread, for it hears SIGTERM.

    `every_seconds` bounds what a crash costs; displacement costs nothing. `stint_seconds`: leave with LEFT_EARLY after
    so long even if nobody asks; for jobs with `checkpoint_exit_code`, whose checkpoints HTCondor takes away then.
    """
    with leaving() as window:
        yield Resumable(Checkpoint(folder), window, every_seconds, stint_seconds)
