"""A whole platform onto an empty site, in steps that can be killed: the same command goes on where it stopped."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel

from mlinfn_condor.backup import restoring, staging
from mlinfn_condor.backup.copying import copy
from mlinfn_condor.backup.errors import RestoreFailed, RestoreRefused
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Restic, Snapshot
from mlinfn_condor.backup.running import Room, state_of
from mlinfn_condor.backup.settling import settle
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.store.dumping import is_empty, load

_DATABASE = "database"


class Progress(BaseModel):
    """How far a restore of the whole came."""

    snapshot: str
    done: tuple[str, ...] = ()


@dataclass(frozen=True)
class Restored:
    """What was brought back."""

    snapshot: Snapshot
    taken_at: float
    moved_aside: tuple[Path, ...]


def restore(
    platform: Platform, restic: Restic, room: Room, snapshot: Snapshot, bring_database_up: Callable[[], str],
    report: Report, *, overwrite: bool,
) -> Restored:  # fmt: skip
    """All of a backup to where it was. `bring_database_up` is called only when there is a dump; it returns the DSN.

    Raises RestoreRefused before anything is touched, when something is there.
    """
    with room.alone():
        file = room.folder / "restoring.json"
        before = _progress(file, snapshot)
        folder = room.folder / "restoring"
        shutil.rmtree(folder, ignore_errors=True)
        with report.step("restore queues and configuration"):
            manifest, state = state_of(restic, snapshot, folder)
        places = _places(manifest, platform)
        left = {name: place for name, place in places.items() if name not in before.done}
        restoring.refuse_occupied(list(left.values()), overwrite=overwrite)
        moved: list[Path] = []
        for name, place in left.items():
            if name in manifest.trees:
                with report.step(f"restore {name}"):
                    moved += restoring.one(restic, snapshot, manifest.trees[name], place, overwrite=overwrite)
            else:
                moved += restoring.aside([place])
                _make_way(place)
                settle(state / staging.STATE / name)
                _move(state / staging.STATE / name, place)
            before = _done(file, before, name)
        if manifest.database and _DATABASE not in before.done:
            with report.step("restore the database"):
                _load(bring_database_up(), state / staging.DUMP, overwrite=overwrite)
            before = _done(file, before, _DATABASE)
        if platform.copies:
            with report.step("have each daemon's disk brought back when its pod starts"):
                platform.copies.bring_back()
        shutil.rmtree(folder, ignore_errors=True)
        file.unlink(missing_ok=True)
        return Restored(snapshot, manifest.taken_at, tuple(moved))


def _places(manifest: staging.Manifest, platform: Platform) -> dict[str, Path]:
    """Where each part goes: where this site has it, which another machine may have elsewhere."""
    known = {**platform.state, **platform.trees}
    asked = {**manifest.state, **manifest.trees}
    lost = [name for name in asked if name not in known]
    if lost:
        raise RestoreFailed(f"the settings do not say where {', '.join(lost)} go: add them to [backup.folders]")
    # Trees last: homes lie in the pool's folder, and are the largest.
    return {name: known[name] for name in asked}


def _load(dsn: str, dump: Path, *, overwrite: bool) -> None:
    if not overwrite and not is_empty(dsn):
        raise RestoreRefused("the database holds records already: --overwrite replaces them, or name an empty one")
    load(dsn, dump)


def _make_way(place: Path) -> None:
    """Parents of a pool's parts are private."""
    for folder in [*reversed(place.parents)]:
        if not folder.exists():
            folder.mkdir(mode=0o700)


def _move(origin: Path, place: Path) -> None:
    """Whose it is stays, onto another disk too."""
    try:
        origin.rename(place)
    except OSError:
        shutil.rmtree(place, ignore_errors=True)  # what a killed one began
        copy(origin, place)


def _progress(file: Path, snapshot: Snapshot) -> Progress:
    try:
        told = Progress.model_validate_json(file.read_bytes())
    except (OSError, ValueError):
        return Progress(snapshot=snapshot.id)
    return told if told.snapshot == snapshot.id else Progress(snapshot=snapshot.id)


def _done(file: Path, before: Progress, name: str) -> Progress:
    after = Progress(snapshot=before.snapshot, done=(*before.done, name))
    write_private(file, after.model_dump_json().encode())
    return after
