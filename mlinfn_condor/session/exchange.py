"""Files in a session's folder as hub and session pass them to each other: one JSON object each, whole or not at all.

The folder is the user's, the hub's processes may be root: whatever lies there, a link, a pipe or a gigabyte, costs its
reader nothing and gives its writer nothing.
"""

import contextlib
import json
import os
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlinfn_condor.storage import owned

LARGEST_BYTES = 256 * 1024
"""Ten times the report of a session with a hundred kernels; more is not read."""


class NotOurs(OSError):
    """The folder is not a session's: a link, readable by others, or of another account."""


def read(folder: Path, name: str) -> dict[str, Any] | None:
    """The object in this file; None if there is none, or nothing that a session or hub would have written."""
    try:
        with _opened(folder) as directory:
            # Without O_NONBLOCK a pipe in this place would stop the reader for ever.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            with os.fdopen(os.open(name, flags, dir_fd=directory), "rb") as file:
                if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                    return None
                text = file.read(LARGEST_BYTES + 1)
        content = json.loads(text) if len(text) <= LARGEST_BYTES else None
    except (OSError, ValueError, RecursionError):
        return None
    return content if isinstance(content, dict) else None


def write(folder: Path, name: str, content: Mapping[str, Any]) -> None:
    """Put the object there; readers see the old or the new one. OSError if the folder is gone or is not a session's."""
    with _opened(folder) as directory:
        owned.write(directory, name, json.dumps(content) + "\n")


def remove(folder: Path, name: str) -> None:
    """Take the file away, if it and the folder are there."""
    with contextlib.suppress(FileNotFoundError), _opened(folder) as directory:
        os.unlink(name, dir_fd=directory)


@contextlib.contextmanager
def _opened(folder: Path) -> Iterator[int]:
    directory = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    try:
        found = os.fstat(directory)
        if found.st_mode & 0o077 or (found.st_uid == 0 and os.geteuid() != 0):
            raise NotOurs(f"{folder} is not the private folder of a session")
        yield directory
    finally:
        os.close(directory)
