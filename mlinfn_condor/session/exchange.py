"""Files in a session's folder as hub and session pass them to each other: one JSON object each, whole or not at all.

The folder is the user's, the hub's processes may be root: whatever lies there, a link, a pipe or a gigabyte, costs its
reader nothing and gives its writer nothing.
"""

import contextlib
import json
import os
import secrets
import stat
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

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
    unfinished = f".{name}.{secrets.token_hex(4)}"
    with _opened(folder) as directory:
        flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
        try:
            with os.fdopen(os.open(unfinished, flags, 0o600, dir_fd=directory), "w") as file:
                file.write(json.dumps(content) + "\n")
                if os.geteuid() == 0:
                    owner = os.fstat(directory)
                    os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
            os.rename(unfinished, name, src_dir_fd=directory, dst_dir_fd=directory)
        except OSError:
            with contextlib.suppress(OSError):
                os.unlink(unfinished, dir_fd=directory)
            raise


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
