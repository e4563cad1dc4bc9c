"""Files and trees copied as they are at one moment, with those to whom they belong. Of the standard library alone."""

import os
import re
import shutil
import sqlite3
import stat
from collections.abc import Collection
from contextlib import closing, suppress
from pathlib import Path

_ROTATED = re.compile(r".*history.*\.\d{8}T\d{6}.*")
"""Histories that HTCondor has ended: never written again."""
_PASSING = re.compile(r".*\.(lock|pid|sock|tmp)|InstanceLock|\..*\.new")


def copy(origin: Path, target: Path, leave_out: Collection[str] = ()) -> None:
    """A file or a tree without what lives only while something runs; what vanishes meanwhile is not missed.

    `leave_out`: names at its top. As root, what belongs to somebody still does.
    """
    try:
        found = origin.lstat()
        if stat.S_ISDIR(found.st_mode):
            target.mkdir(parents=True, mode=0o700)
            for entry in sorted(origin.iterdir()):
                if not _PASSING.fullmatch(entry.name) and entry.name not in leave_out:
                    copy(entry, target / entry.name)
            shutil.copystat(origin, target)
        elif stat.S_ISLNK(found.st_mode):
            target.symlink_to(origin.readlink())
        elif stat.S_ISREG(found.st_mode):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _copy_file(origin, target)
        else:
            return
        if os.geteuid() == 0 and (found.st_uid, found.st_gid) != (0, 0):
            with suppress(PermissionError):  # a root without that right copies all the same
                os.chown(target, found.st_uid, found.st_gid, follow_symlinks=False)
    except FileNotFoundError:
        if target.is_dir():
            return
        target.unlink(missing_ok=True)


def _copy_file(origin: Path, target: Path) -> None:
    if origin.suffix == ".sqlite":
        source = sqlite3.connect(f"file:{origin}?mode=ro", uri=True)
        with closing(source) as there, closing(sqlite3.connect(target)) as here:
            there.backup(here)
        shutil.copystat(origin, target)
        return
    if _ROTATED.fullmatch(origin.name):
        try:
            os.link(origin, target)
            return
        except OSError:  # Another disk.
            pass
    shutil.copy2(origin, target)
