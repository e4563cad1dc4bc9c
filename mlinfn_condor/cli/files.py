"""Files that a command is to write: asked for before its work, and not after it; whole, or as they were."""

import errno
import os
from pathlib import Path
from typing import TextIO

from mlinfn_condor.errors import UserError


def read(path: Path) -> TextIO:
    """A table, open, whichever program wrote it. Raises UserError when it cannot be read."""
    try:
        return path.open(encoding="utf-8-sig", newline="")
    except OSError as error:
        raise UserError(f"{path} cannot be read ({error.strerror}): name a file that can") from error


def refuse_unwritable(path: Path) -> None:
    """Raises UserError for a folder that is not there, and for what this user may not write to."""
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path.absolute().parent} is no folder: make it, or name another")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UserError(f"{path} cannot be written to by this user: name another file")


def write_whole(path: Path, text: str) -> None:
    """Replace a file at once: what was there stays when the disk is full. Raises UserError."""
    path = path.resolve()
    draft = path.with_name(f".{path.name}.{os.getpid()}.new")
    try:
        if (path.exists() and not path.is_file()) or not os.access(path.parent, os.W_OK):  # a pipe, say
            path.write_text(text, encoding="utf-8")
            return
        draft.write_text(text, encoding="utf-8")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(f"{path} was not written: {error.strerror}; make room, or name another file") from error


def is_full(error: OSError) -> bool:
    """Whether there is no room left on a disk, or in somebody's quota."""
    return error.errno in (errno.ENOSPC, errno.EDQUOT)
