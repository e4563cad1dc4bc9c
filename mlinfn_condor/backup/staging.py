"""The moment that a backup is of: the database first, then queues and histories, and the homes after both.

Each refers to what is copied after it and never to what was copied before: the database knows how far it has read the
histories, which may be longer (the rest is read again, each record once) and must not be shorter; a job in the queue
finds its folder and checkpoint at least as new as itself. So nothing has to stand still.
"""

import json
import shutil
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path

from pydantic import TypeAdapter

from mlinfn_condor.backup.copying import copy
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.store.dumping import dump

FOLDER = "mlinfn-state"
"""Name of the folder that holds what was copied; by it a snapshot is known as one of ours."""
MANIFEST, DUMP, STATE = "manifest.json", "database.dump", "state"


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
    absent: tuple[str, ...] = ()
    """Disks of which no copy came when this backup asked for it: an earlier one is in it, or none."""


_FILE = TypeAdapter(Manifest)


def stage(platform: Platform, folder: Path) -> Manifest:
    """Copy what belongs to one moment into the folder, which is ours alone. Raises OSError, StoreError."""
    clear(folder)
    folder.mkdir(mode=0o700, parents=True)
    taken_at = time.time()
    if platform.dsn is not None:
        dump(platform.dsn, folder / DUMP)
    absent = platform.copies.gather(str(taken_at)) if platform.copies else []
    state = {name: path for name, path in platform.state.items() if path.exists()}
    for name, path in state.items():
        copy(path, folder / STATE / name)
    trees = {name: str(path) for name, path in platform.trees.items() if path.is_dir()}
    manifest = Manifest(
        platform.name, taken_at, version("mlinfn-condor"), platform.dsn is not None,
        {name: str(path) for name, path in state.items()}, trees, tuple(absent),
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
