"""The moment that a backup is of: the database first, then queues and histories, and the homes after both.

Each refers to what is copied after it and never to what was copied before: the database knows how far it has read the
histories, which may be longer (the rest is read again, each record once) and must not be shorter; a job in the queue
finds its folder and checkpoint at least as new as itself. So nothing has to stand still.
"""

import json
import os
import re
import shutil
import sqlite3
import stat
import time
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.store.dumping import dump

FOLDER = "mlinfn-state"
"""Name of the folder that holds what was copied; by it a snapshot is known as one of ours."""
MANIFEST, DUMP, STATE = "manifest.json", "database.dump", "state"
_ROTATED = re.compile(r".*history.*\.\d{8}T\d{6}.*")
"""Histories that HTCondor has ended: never written again."""
_PASSING = re.compile(r".*\.(lock|pid|sock|tmp)|InstanceLock|\..*\.new")


@dataclass(frozen=True)
class Manifest:
    """What is where in a backup, and where it came from."""

    platform: str
    taken_at: float
    """Seconds of the epoch when the database was dumped."""
    program: str
    database: bool
    state: Mapping[str, str]
    """Copied, by name below `state/`; and where it was."""
    trees: Mapping[str, str]
    """In the snapshot under the very path that they had."""


_FILE = TypeAdapter(Manifest)


def stage(platform: Platform, folder: Path) -> Manifest:
    """Copy what belongs to one moment into the folder, which is ours alone. Raises OSError, StoreError."""
    clear(folder)
    folder.mkdir(mode=0o700, parents=True)
    taken_at = time.time()
    if platform.dsn is not None:
        dump(platform.dsn, folder / DUMP)
    state = {name: path for name, path in platform.state.items() if path.exists()}
    for name, path in state.items():
        _copy(path, folder / STATE / name)
    trees = {name: str(path) for name, path in platform.trees.items() if path.is_dir()}
    manifest = Manifest(
        platform.name, taken_at, version("mlinfn-condor"), platform.dsn is not None,
        {name: str(path) for name, path in state.items()}, trees,
    )  # fmt: skip
    (folder / MANIFEST).write_text(f"{json.dumps(asdict(manifest), indent=1)}\n")
    return manifest


def clear(folder: Path) -> None:
    """Remove what a run left, one that was killed too."""
    if folder.exists():
        shutil.rmtree(folder)


def parsed(text: bytes) -> Manifest:
    """A manifest out of a backup. Raises pydantic's ValidationError."""
    return _FILE.validate_json(text)


def _copy(origin: Path, target: Path) -> None:
    """A file or a tree without what lives only while something runs; what vanishes meanwhile is not missed."""
    try:
        mode = origin.lstat().st_mode
        if stat.S_ISDIR(mode):
            target.mkdir(parents=True, mode=0o700)
            for entry in sorted(origin.iterdir()):
                if not _PASSING.fullmatch(entry.name):
                    _copy(entry, target / entry.name)
            shutil.copystat(origin, target)
        elif stat.S_ISLNK(mode):
            target.symlink_to(origin.readlink())
        elif stat.S_ISREG(mode):
            target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            _copy_file(origin, target)
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
