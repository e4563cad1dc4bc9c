"""Backups into a real S3 server and into a folder: what comes back, what is refused, what a kill leaves."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from postgres import wait_until
from s3 import S3

from mlinfn_condor.backup import record, restoring, running, whole
from mlinfn_condor.backup.beside import Beside, Copies, serve
from mlinfn_condor.backup.errors import (
    BackupBusy,
    BackupFailed,
    BackupIncomplete,
    RestoreRefused,
    VerificationFailed,
)
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Restic
from mlinfn_condor.backup.running import Room
from mlinfn_condor.backup.settings import BackupSettings, Keep
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.store import connect, migrate
from mlinfn_condor.store.dumping import dump, load
from mlinfn_condor.store.local import LocalServer

QUIET = SilentReport()


@dataclass
class Site:
    """A small site of folders, and its backups."""

    folder: Path
    platform: Platform
    settings: BackupSettings
    program: Path

    @property
    def room(self) -> Room:
        return Room(self.folder / "backups")

    @property
    def restic(self) -> Restic:
        return Restic(self.program, self.settings, self.room.cache)

    @property
    def homes(self) -> Path:
        return self.platform.trees["homes"]

    def run(self):
        return running.run(self.platform, self.restic, self.settings, self.room, QUIET)

    def verify(self, share: str = "100%"):
        return running.verify(self.platform, self.restic, self.settings, self.room, QUIET, share)

    def latest(self):
        return running.latest(self.restic.snapshots(self.platform.name))

    def restore(self, path: str, target: Path | None = None, *, overwrite: bool = False) -> list[Path]:
        snapshot = self.latest()
        source = restoring.place_of(snapshot, path)
        return restoring.one(self.restic, snapshot, source, target or Path(source), overwrite=overwrite)

    @property
    def record(self) -> record.Record:
        return record.read(self.room.record)

    def events(self) -> list[str]:
        return [json.loads(line)["event"] for line in self.room.journal.read_text().splitlines()]


@pytest.fixture
def site(tmp_path: Path, restic_program: Path) -> Site:
    for user in ("alice", "bob"):
        (tmp_path / "homes" / user).mkdir(parents=True)
        (tmp_path / "homes" / user / "notes[1].txt").write_text(f"of {user}")
    (tmp_path / "spool").mkdir()
    (tmp_path / "spool" / "job_queue.log").write_text("107 1 CreationTimestamp 1\n")
    password = tmp_path / "password"
    password.touch(mode=0o600)
    password.write_text("only for this test")
    settings = BackupSettings(repository=str(tmp_path / "repository"), password_file=password)
    platform = Platform("bari", {"homes": tmp_path / "homes"}, {"spool": tmp_path / "spool"}, None)
    return Site(tmp_path, platform, settings, restic_program)


def test_a_home_and_a_file_come_back_from_s3_and_nothing_is_written_over(site: Site, s3: S3) -> None:
    site.settings = site.settings.model_copy(
        update={"repository": s3.repository("homes"), "credentials_file": s3.credentials}
    )
    (site.homes / "alice" / "link").symlink_to("notes[1].txt")
    made = site.run()
    assert (made.files, made.unread) == (5 - 1, ())
    alices = site.homes / "alice" / "notes[1].txt"
    alices.chmod(0o640)
    os.utime(alices, (1e9, 1e9))
    again = site.run()
    assert again.added_bytes < made.added_bytes
    with pytest.raises(RestoreRefused, match="something is there already; --overwrite moves it aside"):
        site.restore("homes/alice/notes[1].txt")
    alices.write_text("spoiled")
    (spoiled,) = site.restore("homes/alice/notes[1].txt", overwrite=True)
    assert (alices.read_text(), spoiled.read_text()) == ("of alice", "spoiled")
    assert (alices.stat().st_mode & 0o777, alices.stat().st_mtime) == (0o640, 1e9)
    shutil.rmtree(site.homes / "bob")
    site.restore("homes/bob")
    assert (site.homes / "bob" / "notes[1].txt").read_text() == "of bob"
    assert not list(site.folder.rglob(".restoring-*"))
    with pytest.raises(RestoreRefused, match="name a path below homes/"):
        site.restore("homes/../spool")
    with pytest.raises(BackupFailed, match="homes/carol is not in backup"):
        site.restore("homes/carol")
    with pytest.raises(RestoreRefused, match="is a symlink: restore the folder that it lies in"):
        site.restore("homes/alice/link", site.folder / "link")
    assert site.verify().short_id == site.latest().short_id
    assert site.events() == ["run_done", "run_done", "verify_done"]


def test_a_later_run_reads_only_what_changed(site: Site) -> None:
    copies = 2  # of the state: they are made anew for each run
    assert site.run().read == 2 + copies
    assert site.run().read == copies
    alices = site.homes / "alice" / "notes[1].txt"
    was = alices.stat()
    alices.write_text("OF ALICE")
    os.utime(alices, ns=(was.st_atime_ns, was.st_mtime_ns))  # Size and time as before.
    (site.homes / "alice" / "new").write_text("new")
    made = site.run()
    assert (made.read, site.record.read, made.files) == (2 + copies, 2 + copies, 3 + copies)
    alices.unlink()
    site.restore("homes/alice/notes[1].txt")
    assert alices.read_text() == "OF ALICE"


def test_one_tree_more_or_less_makes_no_run_read_the_others_again(site: Site) -> None:
    site.run()
    (site.folder / "projects" / "alpha").mkdir(parents=True)
    (site.folder / "projects" / "alpha" / "data").write_text("data")
    trees = {**site.platform.trees, "projects": site.folder / "projects"}
    without, site.platform = site.platform, replace(site.platform, trees=trees)
    copies = 2
    assert site.run().read == 1 + copies
    site.platform = without
    assert site.run().read == copies


def test_wrong_keys_are_told_within_seconds_and_noted(site: Site, s3: S3) -> None:
    site.settings = site.settings.model_copy(
        update={"repository": s3.repository("refused"), "credentials_file": s3.keys("wrong")}
    )
    begun = time.monotonic()
    with pytest.raises(BackupFailed, match="signature"):
        site.run()
    assert time.monotonic() - begun < 40
    assert site.record.failed == 1
    assert "signature" in record.judged(site.record, site.settings, time.time()).sentences[0]
    assert site.events() == ["run_failed"]


def test_what_others_may_read_and_another_password_are_refused(site: Site) -> None:
    site.run()
    site.settings.password_file.chmod(0o644)
    with pytest.raises(BackupFailed, match="can be read by others: chmod 600"):
        site.run()
    site.settings.password_file.chmod(0o600)
    site.settings.password_file.write_text("another")
    with pytest.raises(BackupFailed, match="holds another password"):
        site.run()


def test_the_secrets_are_in_no_argument_and_no_variable(site: Site, tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    spy = tmp_path / "spy"
    spy.write_text(f'#!/bin/sh\n{{ echo "$@"; env; }} >>{seen}\nexec {site.program} "$@"\n')
    spy.chmod(0o755)
    site.program = spy
    site.run()
    assert "--password-file" in seen.read_text()
    assert "only for this test" not in seen.read_text()


def test_a_file_that_nobody_may_read_is_named_and_all_else_kept(site: Site) -> None:
    (site.homes / "bob" / "secret").touch(mode=0o000)
    with pytest.raises(BackupIncomplete, match=r"1 files could not be read, all else is kept: .*bob/secret"):
        site.run()
    assert site.record.good_at > 0
    assert record.judged(site.record, site.settings, time.time()).failed
    shutil.rmtree(site.homes / "alice")
    site.restore("homes/alice")
    assert (site.homes / "alice" / "notes[1].txt").exists()


def test_a_repository_that_is_away_is_not_told_as_a_path_that_no_backup_holds(site: Site) -> None:
    site.run()
    snapshot = site.latest()
    (site.folder / "repository").rename(site.folder / "away")
    with pytest.raises(BackupFailed, match="repository does not exist"):
        restoring.one(site.restic, snapshot, str(site.homes / "alice"), site.folder / "back", overwrite=False)


def test_backups_past_their_time_go(site: Site) -> None:
    site.settings = site.settings.model_copy(update={"keep": Keep(last=1, daily=0, weekly=0, monthly=0, yearly=0)})
    made = [site.run().snapshot for _ in range(2)]
    assert [each.id for each in site.restic.snapshots("bari")] == made[-1:]


def test_damage_is_found_by_the_verification_and_told(site: Site) -> None:
    (site.homes / "alice" / "large").write_bytes(os.urandom(2**20))
    site.run()
    pack = max((site.folder / "repository" / "data").rglob("*"), key=lambda path: path.stat().st_size)
    pack.chmod(0o600)
    with pack.open("r+b") as file:
        file.seek(1000)
        file.write(b"damaged!")
    with pytest.raises(VerificationFailed):
        site.verify()
    judgement = record.judged(site.record, site.settings, time.time())
    assert judgement.unverified
    assert site.events()[-1] == "verify_failed"


RUN = """
import sys
from pathlib import Path
from mlinfn_condor.backup import running
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Restic
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.embedded.report import SilentReport
folder, program = Path(sys.argv[1]), Path(sys.argv[2])
settings = BackupSettings(
    repository=str(folder / "repository"), password_file=folder / "password", upload_kib_per_s=64
)
platform = Platform("bari", {"homes": folder / "homes"}, {"spool": folder / "spool"}, None)
room = running.Room(folder / "backups")
running.run(platform, Restic(program, settings, room.cache), settings, room, SilentReport())
"""


def test_a_killed_run_leaves_no_backup_no_copies_and_no_locks_that_hinder(site: Site) -> None:
    site.run()
    (site.homes / "alice" / "large").write_bytes(os.urandom(4 * 2**20))
    # restic is killed with it: the worst case, in which nobody takes a lock away.
    process = subprocess.Popen(
        [sys.executable, "-c", RUN, site.folder, site.program], start_new_session=True, stderr=subprocess.DEVNULL
    )
    locks = site.folder / "repository" / "locks"
    wait_until(
        lambda: len(list((site.room.cache).rglob("*"))) and any(locks.iterdir()) and site.room.staging.exists(),
        30,
        "a backup at work",
    )
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
    with pytest.raises(BackupBusy, match="another backup"):
        site.run()
    for pid in [process.pid, *map(int, children)]:
        os.kill(pid, signal.SIGKILL)
    process.wait()
    assert any(locks.iterdir())
    assert len(site.restic.snapshots("bari")) == 1
    site.run()
    assert not any(locks.iterdir())
    assert not site.room.staging.exists()
    assert len(site.restic.snapshots("bari")) == 2


def test_a_killed_verification_hinders_no_later_run(site: Site) -> None:
    (site.homes / "alice" / "large").write_bytes(os.urandom(4 * 2**20))
    site.run()
    locks = site.folder / "repository" / "locks"
    # Throttled, so that it is at work when it is killed; its lock lets nobody else in.
    words = ["check", "--read-data", "--limit-download", "64", "--no-cache"]
    repository = ["--repo", site.settings.repository, "--password-file", str(site.settings.password_file)]
    with subprocess.Popen([site.program, *repository, *words], stdout=subprocess.PIPE) as check:
        assert check.stdout
        for line in check.stdout:
            if b"check all packs" in line:
                break
        check.kill()
    assert any(locks.iterdir())
    site.run()
    assert not any(locks.iterdir())


def test_a_lock_of_another_machine_is_left_alone(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    removed = []
    restic = site.restic
    monkeypatch.setattr(restic, "_try", lambda *words: (removed.append(words), (0, ""))[1])
    theirs = {"hostname": "elsewhere", "pid": 999999999}
    ours = {"hostname": os.uname().nodename, "pid": 999999999}
    for locks, expected in (([], 0), ([theirs], 0), ([ours, theirs], 0), ([{**ours, "pid": 1}], 0), ([ours], 1)):
        monkeypatch.setattr(restic, "locks", lambda locks=locks: locks)
        removed.clear()
        assert restic.remove_dead_locks() == bool(expected), locks
        assert len(removed) == expected, locks


def test_the_whole_comes_back_to_an_empty_site_and_goes_on_after_a_kill(site: Site) -> None:
    site.run()
    for part in ("homes", "spool", "backups"):
        shutil.rmtree(site.folder / part)
    restored = whole.restore(
        site.platform,
        site.restic,
        site.room,
        site.latest(),
        lambda: pytest.fail("there is no dump"),
        QUIET,
        overwrite=False,
    )
    assert (site.folder / "spool" / "job_queue.log").read_text() == "107 1 CreationTimestamp 1\n"
    assert (site.homes / "bob" / "notes[1].txt").read_text() == "of bob"
    assert restored.moved_aside == ()
    with pytest.raises(RestoreRefused, match=r"spool.*something is there already"):
        whole.restore(site.platform, site.restic, site.room, site.latest(), lambda: "", QUIET, overwrite=False)


def test_a_disk_that_only_its_pod_mounts_is_of_the_same_backup_and_comes_back_with_it(site: Site) -> None:
    """The queue lies on the pod's own disk; the backup has what the container beside its daemon laid elsewhere."""
    disk, shared = site.folder / "spool", site.folder / "shared"
    copies = Copies(shared / "copies", ["batch", "hub"], patience_seconds=1)
    site.platform = replace(site.platform, state={"shared": shared}, copies=copies)
    beside, stop = Beside(copies.folder / "batch", {"spool": disk}), threading.Event()
    working = threading.Thread(target=serve, args=(beside, stop, lambda said: None, 0.05))
    working.start()
    try:
        with pytest.raises(BackupIncomplete, match="no copy came of hub, all else is kept"):
            site.run()
        assert "no copy came of hub" in site.record.error
        site.platform = replace(site.platform, copies=replace(copies, names=["batch"], patience_seconds=30))
        site.run()
        assert site.record.error == ""
    finally:
        stop.set()
        working.join(10)
    for part in (disk, shared, site.homes, site.folder / "backups"):
        shutil.rmtree(part)
    disk.mkdir()
    whole.restore(site.platform, site.restic, site.room, site.latest(), lambda: "", QUIET, overwrite=False)
    assert list(disk.iterdir()) == [], "its own pod brings it back"
    assert beside.bring_back() == f"brought back: {disk}"
    assert (disk / "job_queue.log").read_text() == "107 1 CreationTimestamp 1\n"


def test_a_restore_that_was_killed_in_between_goes_on(site: Site) -> None:
    site.run()
    shutil.rmtree(site.homes)
    # As it is after a kill between the queue and the homes.
    progress = whole.Progress(snapshot=site.latest().id, done=("spool",))
    (site.room.folder / "restoring.json").write_text(progress.model_dump_json())
    (site.folder / ".restoring-homes").mkdir()
    whole.restore(site.platform, site.restic, site.room, site.latest(), lambda: "", QUIET, overwrite=False)
    assert (site.homes / "bob" / "notes[1].txt").exists()
    assert not (site.folder / ".restoring-homes").exists()
    assert not (site.room.folder / "restoring.json").exists()


def test_a_dump_holds_one_moment_and_comes_back_whole(postgres: LocalServer, database: str, tmp_path: Path) -> None:
    migrate(database)
    with connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT generate_series(1, 1000) AS n")
    dump(database, tmp_path / "dump")
    with connect(database, autocommit=True) as connection:
        connection.execute("DROP TABLE kept")
        connection.execute("CREATE TABLE later (n int)")
    load(database, tmp_path / "dump")
    with connect(database, autocommit=True) as connection:
        assert connection.execute("SELECT count(*) FROM kept").fetchone() == (1000,)
        assert connection.execute("SELECT to_regclass('later')").fetchone() == (None,)
