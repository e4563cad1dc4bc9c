"""One run, one verification: each safe to be killed in, and to be run again."""

import fcntl
import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from mlinfn_condor.backup import record, staging
from mlinfn_condor.backup.errors import BackupBusy, BackupFailed, BackupIncomplete, VerificationFailed
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Made, Restic, Snapshot
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.store.dumping import contents

_NAMED_UNREAD = 3


@dataclass(frozen=True)
class Room:
    """Files of the backups of one pool on this machine."""

    folder: Path

    @property
    def staging(self) -> Path:
        """There while a run works."""
        return self.folder / staging.FOLDER

    @property
    def record(self) -> Path:
        """How the last ones went."""
        return self.folder / "record.json"

    @property
    def journal(self) -> Path:
        """Every run and verification, and what was wrong: one line of JSON each."""
        return self.folder / "events.jsonl"

    @property
    def cache(self) -> Path:
        """restic's; it may go at any time."""
        return self.folder / "cache"

    @contextmanager
    def alone(self) -> Iterator[None]:
        """One act at a time on this machine. Raises BackupBusy."""
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        with (self.folder / "lock").open("w") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupBusy("another backup, verification or restore works here: wait for its end") from None
            yield


def run(platform: Platform, restic: Restic, settings: BackupSettings, room: Room, report: Report) -> Made:
    """Back up, and let go of what is past its time. Raises what failed after it was written down."""
    with room.alone(), _noted(room, "run") as note:
        settings.refuse_open_secrets()
        begun = time.time()
        with report.step("open the repository"):
            before = restic.open(platform.name)
        with report.step("copy database, queues and configuration"):
            manifest = staging.stage(platform, room.staging)
        try:
            paths = [str(room.staging), *manifest.trees.values()]
            with report.step("back up", _expected_bytes(before), "B") as step:
                made = restic.back_up(paths, platform.name, settings.exclude, step.advance)
        finally:
            staging.clear(room.staging)
        with report.step("let go of what is past its time"):
            restic.forget(platform.name)
        seconds = time.time() - begun
        note(
            good_at=manifest.taken_at, snapshot=made.snapshot, files=made.files, bytes=made.bytes, read=made.read,
            seconds=seconds,
        )  # fmt: skip
        if manifest.absent:
            raise BackupIncomplete(
                f"no copy came of {', '.join(manifest.absent)}, all else is kept: "
                "does the container `copies` of its pod run?"
            )
        if made.unread:
            named = "; ".join(made.unread[:_NAMED_UNREAD])
            raise BackupIncomplete(f"{len(made.unread)} files could not be read, all else is kept: {named}")
        return made


def verify(
    platform: Platform, restic: Restic, settings: BackupSettings, room: Room, report: Report, share: str
) -> Snapshot:
    """Read the repository again, and restore the latest backup's state to see that it is whole."""
    with room.alone(), _noted(room, "verify") as note:
        settings.refuse_open_secrets()
        with report.step(f"read the repository, {share} of its data"):
            try:
                restic.check(share)
            except BackupFailed as error:
                raise VerificationFailed(str(error)) from error
        with report.step("restore the state of the latest backup"), TemporaryDirectory(dir=room.folder) as folder:
            snapshot = latest(restic.snapshots(platform.name))
            manifest, state = state_of(restic, snapshot, Path(folder) / "state")
            missing = [name for name in manifest.state if not (state / staging.STATE / name).exists()]
            if missing:
                raise VerificationFailed(f"backup {snapshot.short_id} lacks {', '.join(missing)}")
            if manifest.database and contents(state / staging.DUMP) == 0:
                raise VerificationFailed(f"the database of backup {snapshot.short_id} is empty")
        with report.step("free what no backup needs"):  # only of a repository that was found sound
            restic.prune()
        note(verified=snapshot.short_id)
        return snapshot


def latest(snapshots: list[Snapshot], wanted: str = "latest") -> Snapshot:
    """The one wanted: its id, or the newest. Raises BackupFailed."""
    ours = [each for each in snapshots if each.path_named(staging.FOLDER)]
    if wanted == "latest" and ours:
        return ours[-1]
    found = [each for each in ours if each.id.startswith(wanted)]
    if len(found) != 1:
        there = ", ".join(each.short_id for each in ours[-5:]) or "none"
        raise BackupFailed(f"there is no backup {wanted}: the latest are {there}; `mlinfn backup list` shows all")
    return found[0]


def state_of(restic: Restic, snapshot: Snapshot, folder: Path) -> tuple[staging.Manifest, Path]:
    """The copied part of a backup, restored into a new folder, and what it says of itself."""
    path = snapshot.path_named(staging.FOLDER)
    if path is None:
        raise BackupFailed(f"{snapshot.short_id} is no backup of a site")
    restic.restore(snapshot.id, path, folder)
    try:
        return staging.parsed((folder / staging.MANIFEST).read_bytes()), folder
    except (OSError, ValueError) as error:
        raise VerificationFailed(f"backup {snapshot.short_id} does not say what it holds: {error}") from error


@contextmanager
def _noted(room: Room, act: str) -> Iterator[Callable[..., None]]:
    """Write down how the act ended: in the record, and as an event. A kill writes nothing: the next one is due."""
    begun = time.time()
    facts: dict[str, Any] = {}
    before = record.read(room.record)
    try:
        yield facts.update
    except (MlinfnError, OSError) as error:
        told = " ".join(str(error).split())
        if act == "run":
            good = facts if isinstance(error, BackupIncomplete) else {}
            after = replace(record.failed(before, begun, told), **good)
        else:
            after = replace(before, verification_tried_at=begun, verification_error=told)
        _write(room, after, f"{act}_failed", begun, error=told)
        raise
    if act == "run":
        after = record.ran(before, begun, **facts)
    else:
        after = replace(before, verified_at=begun, verification_tried_at=begun, verification_error="")
    _write(room, after, f"{act}_done", begun, **facts)


def _write(room: Room, after: record.Record, event: str, begun: float, **facts: Any) -> None:
    record.write(room.record, after)
    record.tell(room.journal, event, time.time(), took_s=round(time.time() - begun, 3), **facts)


def _expected_bytes(before: list[Snapshot]) -> int | None:
    """As many as last time: to count first would read every folder twice."""
    return int(before[-1].summary.get("total_bytes_processed", 0)) or None if before else None


def nice() -> None:
    """A backup is never in a hurry."""
    os.nice(10)
