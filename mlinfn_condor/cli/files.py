"""Files of the command line: what is to be written is asked for before the work, and not after it."""

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
