"""Files that a command is to write: asked for before its work, and not after it."""

import os
from pathlib import Path

from mlinfn_condor.errors import UserError


def refuse_unwritable(path: Path) -> None:
    """Raises UserError for a folder that is not there, and for what this user may not write to."""
    if not path.absolute().parent.is_dir():
        raise UserError(f"{path.absolute().parent} is no folder: make it, or name another")
    if not os.access(path if path.exists() else path.absolute().parent, os.W_OK):
        raise UserError(f"{path} cannot be written to by this user: name another file")
