"""What an installed HTCondor is, and where on a machine one may be."""

import os
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

OLDEST = (25, 0)
"""The pool's configuration uses what HTCondor 25.0 brought."""
FINISHED = ".complete"
"""File in a private installation that says that it was complete, and ran."""
_VERSION_SECONDS = 30
_SYSTEM_SBIN = ("/usr/local/sbin", "/usr/sbin", "/sbin")
"""Not on an ordinary user's PATH, but condor_master of a system package is there."""


@dataclass(frozen=True)
class Distribution:
    """One installed HTCondor."""

    version: str
    release_dir: Path
    private: bool
    """Installed by us, for this user alone; False: a system package, or what the user put on PATH."""

    @property
    def bin(self) -> Path:
        """Commands of users."""
        return self.release_dir / "bin"

    @property
    def sbin(self) -> Path:
        """Daemons, and commands of administrators."""
        return self.release_dir / "sbin"

    @property
    def libexec(self) -> Path:
        """Programs that daemons start; packages give HTCondor a folder of its own in there, tarballs don't."""
        own = self.release_dir / "libexec" / "condor"
        return own if own.is_dir() else self.release_dir / "libexec"

    @property
    def lib(self) -> Path:
        """Files that daemons read: Debian's `lib/condor`, Red Hat's `lib64/condor`, a tarball's `lib`."""
        owns = (self.release_dir / lib / "condor" for lib in ("lib", "lib64"))
        return next((own for own in owns if own.is_dir()), self.release_dir / "lib")


def version_in(answer: str) -> str | None:
    """The version in what `condor_version` prints, None when it is something else."""
    match = re.search(r"\$CondorVersion: (\d+\.\d+\.\d+)", answer)
    return match[1] if match else None


def ask_version(condor_version: Path) -> str | None:
    """The version of that program, None when it does not run; it needs no configuration, and gets none."""
    try:
        asked = subprocess.run(
            [condor_version],
            env=os.environ | {"CONDOR_CONFIG": "/dev/null"},
            capture_output=True,
            text=True,
            check=False,
            timeout=_VERSION_SECONDS,
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return version_in(asked.stdout)


def as_numbers(version: str) -> tuple[int, ...]:
    """A version that sorts: 25.10.0 is newer than 25.9.1."""
    return tuple(int(part) for part in version.split("."))


def of_system(private_folder: Path) -> Distribution | None:
    """The HTCondor on PATH when it is new enough; not one that `mlinfn pool env` put there."""
    path = os.pathsep.join([os.environ.get("PATH", os.defpath), *_SYSTEM_SBIN])
    master, asked = shutil.which("condor_master", path=path), shutil.which("condor_version", path=path)
    if master is None or asked is None or Path(master).resolve().is_relative_to(private_folder.resolve()):
        return None
    version = ask_version(Path(asked))
    if version is None or as_numbers(version) < OLDEST:
        return None
    # Not resolved file by file: a system may link single programs elsewhere, the folders are what counts.
    return Distribution(version, Path(master).absolute().parent.parent, private=False)


def private(folder: Path) -> Distribution | None:
    """The newest complete private installation."""
    complete = [
        path.parent for path in folder.glob(f"*/{FINISHED}") if re.fullmatch(r"\d+\.\d+\.\d+", path.parent.name)
    ]
    if not complete:
        return None
    newest = max(complete, key=lambda path: as_numbers(path.name))
    return Distribution(newest.name, newest.absolute() / "usr", private=True)
