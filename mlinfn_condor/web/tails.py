"""The end of a file that a job writes, and no other file: what a job's ad names is its user's to choose."""

import os
import stat
from pathlib import Path

from mlinfn_condor.errors import BadRequest

TAIL_BYTES = 32_768
LINES = 60


def tail(path: str, below: Path | None) -> str:
    """Its last lines. Raises BadRequest: it is not there, no plain file, or not `below` that folder.

    A service that may read more than the person must not be led astray by a link, however late it is put there:
    what was opened is looked at, not what was named.
    """
    try:
        number = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError as error:
        raise BadRequest(f"{error.strerror or error}") from error
    with os.fdopen(number, "rb") as file:
        known = os.fstat(number)
        if not stat.S_ISREG(known.st_mode):
            raise BadRequest("it is no plain file")
        if below is not None:
            real = Path(f"/proc/self/fd/{number}").readlink()
            if known.st_nlink > 1 or not real.is_relative_to(below.resolve()):
                raise BadRequest(f"only files below {below} are shown here")
        file.seek(max(0, known.st_size - TAIL_BYTES))
        text = file.read(TAIL_BYTES).decode(errors="replace")
    shown = "".join(c if c.isprintable() or c in "\n\t" else "" for c in text)
    return "\n".join(shown.splitlines()[-LINES:])
