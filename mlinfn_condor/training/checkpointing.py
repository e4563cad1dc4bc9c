"""Checkpoints that survive any death of the process, in a plain folder that all nodes share.

What is saved is bytes: how a state becomes bytes is the training loop's own affair (`numpy.savez`, `torch.save`).
"""

import errno
import hashlib
import os
import re
import tempfile
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.errors import MlinfnError

KEPT = 2
"""How many saved states stay: the last one, and the one before it in case the last turns out to be torn."""

_FULL = (errno.ENOSPC, errno.EDQUOT)
_MAGIC = b"mlinfn-checkpoint-1"
_NAME = re.compile(r"checkpoint-(\d{9})")


class CheckpointsDamaged(MlinfnError):
    """Every checkpoint in the folder is damaged: look at the file system, then empty the folder to start afresh."""

    page = "docs/training.md#checkpoints"


class NoRoomToSave(MlinfnError, OSError):
    """The disk of the checkpoints is full, or its user's quota used up; the states that were saved stay."""

    page = "docs/storage.md#homes-and-project-folders"


class Checkpoint:
    """The state of one training, in a folder of its own.

    Invariant: once `save` has returned, `load` gives that state or a later one, whatever is killed when; a save that
    was interrupted leaves nothing that `load` could take for a state. It needs a POSIX file system (atomic rename).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        """Made on the first save; one process at a time may save there."""

    def load(self) -> bytes | None:
        """The newest whole state; None where nothing was ever saved. CheckpointsDamaged if none of them is whole.

        Starting afresh in silence would cost everything since the first epoch, hence an error and not None.
        """
        saved = sorted(self._saved(), reverse=True)
        for _, path in saved:
            state = _unpack(path.read_bytes())
            if state is not None:
                return state
        if saved:
            raise CheckpointsDamaged(
                f"none of the {len(saved)} checkpoints in {self.folder} is whole: check the file system, "
                "then empty the folder to start the training afresh"
            )
        return None

    def save(self, state: bytes) -> None:
        """Return when `state` is on disk. An error leaves the previous states as they were: NoRoomToSave, OSError."""
        try:
            self._save(state)
        except OSError as error:
            if error.errno not in _FULL:
                raise
            why = "its user's quota is used up" if error.errno == errno.EDQUOT else "its disk is full"
            raise NoRoomToSave(
                f"no checkpoint could be saved in {self.folder}: {why}. What was saved before is there: "
                "remove files, or ask for more room, and start the training again"
            ) from error

    def _save(self, state: bytes) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        saved = sorted(self._saved())
        number = saved[-1][0] + 1 if saved else 1
        handle, name = tempfile.mkstemp(prefix=".saving-", dir=self.folder)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(_pack(state))
                file.flush()
                os.fsync(file.fileno())
            temporary.rename(self.folder / f"checkpoint-{number:09d}")
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise
        _sync_folder(self.folder)
        # Only now is the new state certain, so only now may old ones, and what a killed save left behind, go.
        for _, path in saved[: len(saved) + 1 - KEPT]:
            path.unlink(missing_ok=True)
        for leftover in self.folder.glob(".saving-*"):
            leftover.unlink(missing_ok=True)

    def _saved(self) -> Iterator[tuple[int, Path]]:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if match := _NAME.fullmatch(path.name):
                    yield int(match[1]), path


def _pack(state: bytes) -> bytes:
    """Header line with length and checksum, then the state."""
    return b"%s %d %s\n" % (_MAGIC, len(state), hashlib.sha256(state).hexdigest().encode()) + state


def _unpack(content: bytes) -> bytes | None:
    """The state; None if the file is torn. Comparing the whole packed form leaves no header field unchecked."""
    _, newline, state = content.partition(b"\n")
    return state if newline and _pack(state) == content else None


def _sync_folder(folder: Path) -> None:
    """Without this a power cut may forget the rename although the file's content is on disk."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
