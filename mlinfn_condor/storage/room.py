"""How much room a home has: asked before a session starts, because a notebook that cannot be saved is a lost one."""

import errno
import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

from mlinfn_condor.storage.errors import HomeFull

PROBE_BYTES = 64 * 1024
MIB = 1024 * 1024
FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class RoomSettings(BaseSettings):
    """What counts as full: environment variables `MLINFN_STORAGE_…` of whoever starts sessions."""

    model_config = SettingsConfigDict(env_prefix="MLINFN_STORAGE_")

    least_free_mb: int = Field(default=20, ge=0)
    """Room that a home must have for a session to start. A notebook with its pictures is rarely larger."""
    least_free_files: int = Field(default=100, ge=0)
    """Files that may still be made there: a disk without inodes takes no notebook either."""


@dataclass(frozen=True)
class Disk:
    """What is left of the disk that a folder lies on, for an ordinary user."""

    free_bytes: int
    free_files: int | None
    """None: the file system does not count them."""


def disk_of(folder: Path) -> Disk:
    """Raises OSError."""
    found = os.statvfs(folder)
    return Disk(found.f_bavail * found.f_frsize, found.f_favail if found.f_files else None)


def refuse_full(home: Path, settings: RoomSettings | None = None, ask: Callable[[Path], Disk] = disk_of) -> None:
    """Raises HomeFull with what to do. A quota is no property of the disk: only to write a little shows it."""
    settings = settings or RoomSettings()
    if not home.exists():  # It is made by whoever starts the session; he will be told if he cannot.
        return
    disk = ask(home)
    if disk.free_bytes < settings.least_free_mb * MIB:
        raise HomeFull(_sentence(home, f"{disk.free_bytes / MIB:.0f} MB are left of its disk"))
    if disk.free_files is not None and disk.free_files < settings.least_free_files:
        raise HomeFull(_sentence(home, f"its disk holds only {disk.free_files} more files"))
    try:
        _probe(home)
    except OSError as error:
        if error.errno in FULL:
            reason = "its quota is used up" if error.errno == errno.EDQUOT else "its disk is full"
            raise HomeFull(_sentence(home, reason)) from error
        raise


def _sentence(home: Path, reason: str) -> str:
    return f"the home {home} is full ({reason}): remove files, or ask for more room; nothing could be saved as it is"


def _probe(home: Path) -> None:
    file = home / f".mlinfn-room-{uuid.uuid4().hex}"
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        if os.geteuid() == 0:  # A quota is asked of whom the file belongs to.
            owner = home.stat()
            os.fchown(descriptor, owner.st_uid, owner.st_gid)
        os.write(descriptor, bytes(PROBE_BYTES))
        os.fsync(descriptor)  # NFS and delayed allocation tell only then.
    finally:
        os.close(descriptor)
        file.unlink(missing_ok=True)
