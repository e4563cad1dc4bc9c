"""restic itself: the machine's own when it is new enough, else Debian's in a folder of this user's, without root."""

import os
import re
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path

from mlinfn_condor.embedded import packages
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

OLDEST = (0, 17)
"""The first whose exit codes tell a missing repository from a wrong password, and that restores part of a snapshot."""
_VERSION_SECONDS = 30


def ensure(settings: Settings, report: Report) -> Path:
    """restic's program, fetched when there is none. Raises InstallFailed."""
    return find(settings) or _install(settings.home / "restic", report)


def find(settings: Settings) -> Path | None:
    """The one on PATH, else the one that was fetched before."""
    there = [Path(found) for found in [shutil.which("restic")] if found] + [settings.home / "restic" / "restic"]
    return next((program for program in there if version(program) >= OLDEST), None)


@cache
def version(program: Path) -> tuple[int, ...]:
    """(0, 18, 0) of restic 0.18.0; empty when it does not run here."""
    try:
        asked = subprocess.run(
            [program, "version"], capture_output=True, text=True, check=False, timeout=_VERSION_SECONDS
        )
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.match(r"restic (\d+(?:\.\d+)+)", asked.stdout)
    return tuple(map(int, match[1].split("."))) if match else ()


def _install(folder: Path, report: Report) -> Path:
    cure = f"install restic {'.'.join(map(str, OLDEST))} or newer"
    program = folder / "restic"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".installing-", dir=folder) as temporary:
            (package,) = packages.fetch_alone(Path(temporary) / "apt", ["restic"], report)
            unpacked = Path(temporary) / "unpacked"
            subprocess.run(["dpkg-deb", "-x", package, unpacked], check=True, capture_output=True)
            os.replace(unpacked / "usr/bin/restic", program)  # noqa: PTH105 - one rename: whole or absent
    except InstallFailed as error:
        told = str(error).replace("HTCondor was", "restic was").partition(": install")[0]
        raise InstallFailed(f"{told}; {cure}") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise InstallFailed(f"restic was not installed in {folder}: {error}; {cure}") from error
    version.cache_clear()
    if version(program) < OLDEST:
        raise InstallFailed(f"Debian's restic does not run here: {cure}")
    return program
