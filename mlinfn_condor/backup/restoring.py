"""Bringing back one file, one home, or all. Nothing that is there is ever written over; `overwrite` moves it aside.

What is restored is made beside its place and appears there by one rename: a killed restore leaves a folder
`.restoring-…`, which the next one removes.
"""

import os
import shutil
import time
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryFile

from mlinfn_condor.backup import staging
from mlinfn_condor.backup.errors import BackupFailed, RestoreRefused
from mlinfn_condor.backup.restic import Restic, Snapshot
from mlinfn_condor.backup.staging import Manifest

_TEMPORARY = ".restoring-"


def manifest_of(restic: Restic, snapshot: Snapshot, folder: Path) -> Manifest:
    """What a backup says of itself. `folder` is for its passage."""
    path = snapshot.path_named(staging.FOLDER)
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryFile(dir=folder) as file:
        restic.read(snapshot.id, f"{path}/{staging.MANIFEST}", file)
        file.seek(0)
        return staging.parsed(file.read())


def place_of(manifest: Manifest, wanted: str) -> str:
    """Path in the snapshot of `homes/alice/plot.png`. Raises RestoreRefused for what no backup holds or leads out."""
    tree, _, rest = wanted.strip("/").partition("/")
    parts = Path(rest).parts
    if tree not in manifest.trees or ".." in parts:
        there = ", ".join(f"{name}/…" for name in manifest.trees)
        raise RestoreRefused(f"{wanted}: name a path below {there}")
    return str(Path(manifest.trees[tree], *parts))


def one(restic: Restic, snapshot: Snapshot, path: str, target: Path, *, overwrite: bool) -> list[Path]:
    """The file or folder at `path` of the snapshot to `target`; what was moved aside. Raises RestoreRefused."""
    nodes = restic.nodes(snapshot.id, path)
    node = next((each for each in nodes if each["path"] == path), None)
    if node is None:
        raise BackupFailed(f"{path} is not in backup {snapshot.short_id} of {snapshot.time[:16]}")
    refuse_occupied([target], overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = target.parent / f"{_TEMPORARY}{target.name}"
    _remove(temporary)
    try:
        if node["type"] == "dir":
            restic.restore(snapshot.id, path, temporary)
        elif node["type"] == "file":
            with temporary.open("xb") as file:
                temporary.chmod(0o600)
                restic.read(snapshot.id, path, file)
            temporary.chmod(int(node.get("mode", 0o600)) & 0o777)
            when = _seconds(str(node["mtime"]))
            os.utime(temporary, (when, when))
        else:
            raise RestoreRefused(f"{path} is a {node['type']}: restore the folder that it lies in")
        moved = aside([target])
        temporary.rename(target)
    finally:
        _remove(temporary)
    return moved


def refuse_occupied(places: Sequence[Path], *, overwrite: bool) -> None:
    """Raises RestoreRefused: something is there, and nobody said that it may be moved."""
    taken = [place for place in places if _is_there(place)]
    if taken and not overwrite:
        raise RestoreRefused(
            f"{', '.join(map(str, taken))}: something is there already; --overwrite moves it aside, "
            "--to restores to another place"
        )


def aside(places: Sequence[Path]) -> list[Path]:
    """Rename what is at these places; where it is now."""
    moved = []
    for place in places:
        if place.is_symlink() or place.exists():
            if place.is_dir() and not place.is_symlink() and not any(place.iterdir()):
                place.rmdir()
                continue
            new = place.with_name(f"{place.name}.before-{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}")
            place.rename(new)
            moved.append(new)
    return moved


def _is_there(place: Path) -> bool:
    """An empty folder is nothing."""
    if place.is_dir() and not place.is_symlink():
        return any(place.iterdir())
    return place.is_symlink() or place.exists()


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _seconds(text: str) -> float:
    """restic's times have nanoseconds, Python's microseconds."""
    head, dot, rest = text.partition(".")
    digits = len(rest) - len(rest.lstrip("0123456789"))
    short = f"{head}{dot}{rest[: min(6, digits)]}{rest[digits:]}"
    return datetime.fromisoformat(short.replace("Z", "+00:00")).timestamp()
