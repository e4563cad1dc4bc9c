"""Homes and project folders, whatever they lie on. A home is its user's alone, a project's folder its members'."""

import contextlib
import errno
import os
import re
import stat
import struct
import subprocess
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from mlinfn_condor.storage.errors import StorageFailed
from mlinfn_condor.storage.settings import NfsSettings

HOME_MODE, PROJECT_MODE = 0o700, 0o2770
"""With setgid what is made in a project's folder belongs to the project, whoever made it."""
_MEMBERS_ACL = struct.pack("<I", 2) + b"".join(
    struct.pack("<HHI", tag, rights, 0xFFFFFFFF) for tag, rights in ((0x01, 7), (0x04, 7), (0x20, 0))
)
"""Of acl(5): its owner and its group everything, others nothing; inherited by all that is made below."""
_NAME = re.compile(r"[a-z0-9_][a-z0-9_.@+-]{0,62}")


@dataclass(frozen=True)
class Owner:
    """Numbers by which the file system knows somebody; both this process's where one account runs all."""

    uid: int
    gid: int


@dataclass(frozen=True)
class Usage:
    """What a folder holds."""

    bytes: int
    """As allocated on the disk."""
    files: int


class Homes(Protocol):
    """Where homes and project folders are made and found. All acts raise StorageFailed."""

    def ready(self) -> None:
        """Have the place itself: mount it, if need be. Safe to repeat."""
        ...

    def home(self, user: str, owner: Owner) -> Path:
        """The home, made if it was not there; what is in it stays as it is."""
        ...

    def project(self, name: str, gid: int) -> Path:
        """The folder of a project, made if it was not there, for the members of the group and nobody else."""
        ...


class LocalHomes:
    """In a folder that all who need it see."""

    def __init__(self, root: Path) -> None:
        self._root = root

    def ready(self) -> None:
        """See Homes."""
        try:
            for part in ("homes", "projects"):
                (self._root / part).mkdir(parents=True, exist_ok=True, mode=0o755)
        except OSError as error:
            raise StorageFailed(f"{self._root}: {error.strerror}") from error

    def home(self, user: str, owner: Owner) -> Path:
        """See Homes."""
        folder = self._root / "homes" / _named(user)
        _refuse_anothers(folder, owner)
        return _made(folder, owner.uid, owner.gid, HOME_MODE)

    def project(self, name: str, gid: int) -> Path:
        """See Homes."""
        folder = _made(self._root / "projects" / _named(name), os.geteuid(), gid, PROJECT_MODE)
        _let_members_write(folder)
        return folder


class NfsHomes:
    """On an export that this machine mounts; from then on as LocalHomes."""

    def __init__(self, root: Path, export: NfsSettings, mount: Callable[[Sequence[str]], None] | None = None) -> None:
        self._root, self._export, self._mount = root, export, mount or _run
        self._inside = LocalHomes(root)

    def ready(self) -> None:
        """See Homes. A folder on which something else is mounted is refused: homes would go to the wrong disk."""
        mounted = source_of(self._root, Path("/proc/self/mountinfo").read_text())
        if mounted is None:
            self._root.mkdir(parents=True, exist_ok=True)
            self._mount(command(self._root, self._export))
        elif mounted != self._export.source:
            raise StorageFailed(f"{self._root} is {mounted}, and the settings want {self._export.source}")
        self._inside.ready()

    def home(self, user: str, owner: Owner) -> Path:
        """See Homes."""
        return self._inside.home(user, owner)

    def project(self, name: str, gid: int) -> Path:
        """See Homes."""
        return self._inside.project(name, gid)


def command(root: Path, export: NfsSettings) -> list[str]:
    """What mounts it."""
    return ["mount", "-t", "nfs", "-o", export.options, export.source, str(root)]


def source_of(root: Path, mountinfo: str) -> str | None:
    """What is mounted at this very folder, of the text of /proc/self/mountinfo; None: nothing."""
    found = None
    for line in mountinfo.splitlines():
        head, _, tail = line.partition(" - ")
        fields = head.split()
        if len(fields) > 4 and re.sub(r"\\([0-7]{3})", lambda m: chr(int(m[1], 8)), fields[4]) == str(root):
            found = tail.split()[1]  # the last one hides those before it
    return found


def usage(folder: Path) -> Usage:
    """What a folder holds; a file with several names counts once, and what vanishes meanwhile not at all."""
    seen: set[tuple[int, int]] = set()
    size = files = 0
    for where, _, names in os.walk(folder):
        for name in names:
            try:
                found = os.lstat(Path(where, name))
            except FileNotFoundError:
                continue
            if found.st_nlink > 1:
                if (found.st_dev, found.st_ino) in seen:
                    continue
                seen.add((found.st_dev, found.st_ino))
            size, files = size + found.st_blocks * 512, files + 1
    return Usage(size, files)


def _named(name: str) -> str:
    if not _NAME.fullmatch(name) or name in {".", ".."}:
        raise StorageFailed(f"{name!r} cannot be the name of a folder here: small letters, digits and . _ @ + -")
    return name


def _made(folder: Path, uid: int, gid: int, mode: int) -> Path:
    """Nobody else may look in at any moment, and what a user put into its place is not followed."""
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode):
            raise StorageFailed(f"{folder} is no folder: move it away")
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        try:
            if (found.st_uid, found.st_gid) != (uid, gid):
                os.fchown(descriptor, uid, gid)
            os.fchmod(descriptor, mode)
            if stat.S_IMODE(os.fstat(descriptor).st_mode) != mode:
                # What root may not keep the kernel drops without a word, and then files would not be the project's.
                raise StorageFailed(f"{folder}: its mode is not {mode:o}: who makes it needs CAP_FSETID")
        finally:
            os.close(descriptor)
    except OSError as error:
        raise StorageFailed(f"{folder}: {error.strerror}") from error
    return folder


def _refuse_anothers(folder: Path, owner: Owner) -> None:
    """A name may come back with another number; what its former bearer left is not given away."""
    with contextlib.suppress(FileNotFoundError):
        if (found := folder.lstat().st_uid) not in (owner.uid, os.geteuid()):
            raise StorageFailed(f"{folder} belongs to number {found}, not to {owner.uid}: move or give it away")


def _let_members_write(folder: Path) -> None:
    """What anybody makes in it is the members' to change, whatever his umask; NFS has this from its server's disk."""
    try:
        os.setxattr(folder, "system.posix_acl_default", _MEMBERS_ACL)
    except OSError as error:
        if error.errno not in (errno.EOPNOTSUPP, errno.ENOTSUP):
            raise StorageFailed(f"{folder}: {error.strerror}") from error


def _run(words: Sequence[str]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)
    except OSError as error:
        raise StorageFailed(f"{words[0]}: {error.strerror}: install nfs-common") from error
    if done.returncode != 0:
        raise StorageFailed(f"{' '.join(words)}: {(done.stderr or done.stdout).strip()}")
