"""Bringing back one file, one home, or all. Nothing that is there is ever written over; `overwrite` moves it aside.

What is restored is made beside its place and appears there by one rename: a killed restore leaves a folder
`.restoring-…`, which the next one removes.
"""

import os
import shutil
import time
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from mlinfn_condor.backup import staging
from mlinfn_condor.backup.errors import BackupFailed, RestoreRefused
from mlinfn_condor.backup.restic import Restic, Snapshot

_TEMPORARY = ".restoring-"


def trees_of(snapshot: Snapshot) -> dict[str, str]:
    """Its trees' paths by name. Its manifest says the same; to read that takes restic seconds of a large repository."""
    return {Path(path).name: path for path in snapshot.paths if Path(path).name != staging.FOLDER}


def place_of(snapshot: Snapshot, wanted: str) -> str:
    """Path in the snapshot of `homes/alice/plot.png`. Raises RestoreRefused for what no backup holds or leads out."""
    trees = trees_of(snapshot)
    tree, _, rest = wanted.strip("/").partition("/")
    parts = Path(rest).parts
    if tree not in trees or ".." in parts:
        there = ", ".join(f"{name}/…" for name in trees)
        raise RestoreRefused(f"{wanted}: name a path below {there}")
    return str(Path(trees[tree], *parts))


def one(restic: Restic, snapshot: Snapshot, path: str, target: Path, *, overwrite: bool) -> list[Path]:
    """The file or folder at `path` of the snapshot to `target`; what was moved aside. Raises RestoreRefused."""
    refuse_occupied([target], overwrite=overwrite)
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    temporary = target.parent / f"{_TEMPORARY}{target.name}"
    _remove(temporary)
    try:
        try:
            restic.restore(snapshot.id, path, temporary)
        except BackupFailed:
            # Asked only now what it is: each question takes restic seconds of a large repository, and most are folders.
            node = next((each for each in restic.nodes(snapshot.id, path) if each["path"] == path), None)
            if node is None:
                raise BackupFailed(f"{path} is not in backup {snapshot.short_id} of {snapshot.time[:16]}") from None
            if node["type"] == "dir":
                raise
            if node["type"] != "file":
                raise RestoreRefused(f"{path} is a {node['type']}: restore the folder that it lies in") from None
            _remove(temporary)
            _bring_file(restic, snapshot, node, temporary)
        moved = aside([target])
        temporary.rename(target)
    finally:
        _remove(temporary)
    return moved


def _bring_file(restic: Restic, snapshot: Snapshot, node: Mapping[str, Any], target: Path) -> None:
    with target.open("xb") as file:
        target.chmod(0o600)
        restic.read(snapshot.id, str(node["path"]), file)
    target.chmod(int(node.get("mode", 0o600)) & 0o777)
    when = _seconds(str(node["mtime"]))
    os.utime(target, (when, when))


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
