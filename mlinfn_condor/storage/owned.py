"""Folders and files in somebody's home that another makes for him: no link is followed, and what is made is his.

The hub may be root there, and the home's owner may put anything anywhere at any moment: therefore each step is taken
from an open folder, never by a path, and what belongs to a third is refused.
"""

import contextlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path

HIDDEN = ".mlinfn"
"""Of a home, what is ours: links below it are not followed."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_PRIVATE = 0o077


class NotHis(OSError):
    """Something in a home belongs to somebody else than the home."""


@contextlib.contextmanager
def opened(folder: Path, *inner: str) -> Iterator[int]:
    """The folder, or one further in; those are made where they are missing. Raises OSError."""
    at = folder.parts.index(HIDDEN) if HIDDEN in folder.parts else len(folder.parts)
    directory = os.open(Path(*folder.parts[:at]), _DIRECTORY)
    try:
        for step, make in [(step, False) for step in folder.parts[at:]] + [(step, True) for step in inner]:
            further = _private(directory, step) if make else os.open(step, _DIRECTORY, dir_fd=directory)
            os.close(directory)
            directory = further
        yield directory
    finally:
        os.close(directory)


def _private(parent: int, name: str) -> int:
    """Open a folder that is made if it is missing; only the parent's owner may enter."""
    with contextlib.suppress(FileExistsError):
        os.mkdir(name, 0o700, dir_fd=parent)
    directory = os.open(name, _DIRECTORY, dir_fd=parent)
    try:
        hand_over(directory, parent)
        if os.fstat(directory).st_mode & _PRIVATE:
            os.fchmod(directory, 0o700)
    except OSError:
        os.close(directory)
        raise
    return directory


def write(directory: int, name: str, text: str) -> None:
    """A file that only the folder's owner may read; readers see the old one or the new one, whole. Raises OSError."""
    unfinished = f".{name}.{secrets.token_hex(4)}"
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    try:
        with os.fdopen(os.open(unfinished, flags, 0o600, dir_fd=directory), "w") as file:
            file.write(text)
            hand_over(file.fileno(), directory)
        os.rename(unfinished, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(unfinished, dir_fd=directory)
        raise


def hand_over(descriptor: int, folder: int) -> None:
    """Give what root made to the owner of the folder that it lies in. Raises NotHis where it is a third's."""
    if os.geteuid() != 0:
        return
    found, owner = os.fstat(descriptor), os.fstat(folder)
    if found.st_uid == owner.st_uid:
        return
    if found.st_uid != 0:
        raise NotHis(f"it belongs to number {found.st_uid}, and the folder around it to {owner.st_uid}")
    os.fchown(descriptor, owner.st_uid, owner.st_gid)
