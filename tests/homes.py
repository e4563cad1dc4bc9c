"""Folders for pools of a test's own, which find the programs that were installed before."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from mlinfn_condor.settings import Settings

INSTALLED = ("htcondor", "proxy", "restic")
"""What is downloaded once for all of them."""


@contextmanager
def a_home() -> Iterator[Path]:
    """What MLINFN_HOME names, with a short path: sockets lie below it. Gone afterwards."""
    home = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    (Settings().home / "proxy").mkdir(parents=True, exist_ok=True)
    for part in INSTALLED:
        if (installed := Settings().home / part).exists():
            (home / part).symlink_to(installed)
    yield home
    shutil.rmtree(home, ignore_errors=True)
