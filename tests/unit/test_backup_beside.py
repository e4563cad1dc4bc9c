"""Copies of disks that only their own pod can mount: of the moment when a backup asks, brought back on word alone."""

import os
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path
from types import SimpleNamespace

import pytest

from mlinfn_condor.backup import staging
from mlinfn_condor.backup.beside import Beside, Copies, serve
from mlinfn_condor.backup.copying import copy
from mlinfn_condor.backup.platform import Platform

RUNNING = '105 \n103 1.0 JobStatus 2\n103 1.0 Owner "alice"\n106 \n'


@pytest.fixture
def disk(tmp_path: Path) -> Path:
    """A spool."""
    spool = tmp_path / "spool"
    (spool / "1" / "0").mkdir(parents=True)
    (spool / "1" / "0" / "input").write_text("of the job")
    (spool / "job_queue.log").write_text(RUNNING)
    (spool / "cookie-secret").write_text("secret")
    (spool / "spool.lock").touch()
    return spool


@pytest.fixture
def shared(tmp_path: Path) -> Path:
    (tmp_path / "copies").mkdir()
    return tmp_path / "copies"


@pytest.fixture
def beside(shared: Path, disk: Path) -> Beside:
    return Beside(shared / "batch", {"spool": disk}, ["cookie-secret"])


def test_nothing_is_copied_that_nobody_asks_for(beside, shared):
    assert not beside.turn()
    assert list(shared.iterdir()) == []


def test_who_asks_has_a_copy_of_that_moment_once(beside, shared, disk):
    (shared / "wanted").write_text("monday")
    assert beside.turn()
    assert not beside.turn()
    copied = shared / "batch" / "copy" / "spool"
    assert (copied / "1" / "0" / "input").read_text() == "of the job"
    assert {each.name for each in copied.iterdir()} == {"1", "job_queue.log"}, "no lock, and nothing that was to stay"
    assert (shared / "batch").stat().st_mode & 0o077 == 0
    (disk / "1" / "0" / "input").write_text("of another")
    (shared / "wanted").write_text("tuesday")
    assert beside.turn()
    assert (copied / "1" / "0" / "input").read_text() == "of another"
    assert {each.name for each in (shared / "batch").iterdir()} == {"copy", "done"}


def test_a_database_of_the_hubs_is_whole_though_it_is_written(shared, tmp_path):
    (tmp_path / "hub").mkdir()
    with sqlite3.connect(tmp_path / "hub" / "jupyterhub.sqlite") as writing:
        writing.execute("CREATE TABLE users (name)")
        writing.execute("INSERT INTO users VALUES ('alice')")
        writing.commit()
        writing.execute("INSERT INTO users VALUES ('half')")
        (shared / "wanted").write_text("monday")
        assert Beside(shared / "hub", {"hub": tmp_path / "hub"}).turn()
    copied = sqlite3.connect(shared / "hub" / "copy" / "hub" / "jupyterhub.sqlite")
    assert copied.execute("SELECT name FROM users").fetchall() == [("alice",)]


def test_a_backup_waits_for_all(beside, shared):
    stop = threading.Event()
    working = threading.Thread(target=serve, args=(beside, stop, lambda said: None, 0.05))
    working.start()
    try:
        assert Copies(shared, ["batch"], patience_seconds=60).gather("1") == []
    finally:
        stop.set()
        working.join(60)


def test_a_backup_says_who_did_not_come(beside, shared, tmp_path, monkeypatch):
    now = [0.0]

    def pause(seconds):
        now[0] += seconds
        beside.turn()

    monkeypatch.setattr("mlinfn_condor.backup.beside.time", SimpleNamespace(monotonic=lambda: now[0], sleep=pause))
    platform = Platform("bari", {}, {"shared": shared}, None, Copies(shared, ["batch", "hub"]))
    manifest = staging.stage(platform, tmp_path / "staged")
    assert now[0] >= Copies.patience_seconds
    assert manifest.absent == ("hub",)
    assert (tmp_path / "staged/state/shared/batch/copy/spool/job_queue.log").read_text() == RUNNING
    assert staging.parsed((tmp_path / "staged" / staging.MANIFEST).read_bytes()) == manifest


def test_a_disk_is_brought_back_on_word_alone_and_what_ran_runs_no_more(beside, shared, tmp_path):
    (shared / "wanted").write_text("monday")
    beside.turn()
    new = tmp_path / "new"
    (new / "lost+found").mkdir(parents=True)
    again = Beside(shared / "batch", {"spool": new})
    assert again.bring_back() == "nobody asked for it"
    Copies(shared, ["batch", "hub"]).bring_back()
    assert not (shared / "hub").exists(), "of the hub there is no copy"
    assert again.bring_back() == f"brought back: {new}"
    assert (new / "1" / "0" / "input").read_text() == "of the job"
    assert "103 1.0 LastJobLeaseRenewal 1" in (new / "job_queue.log").read_text()
    assert {each.name for each in new.iterdir()} == {"lost+found", "1", "job_queue.log"}
    assert again.bring_back() == "nobody asked for it"


def test_a_disk_with_something_on_it_is_left_alone_unless_that_is_what_a_killed_one_brought(beside, shared, disk):
    (shared / "wanted").write_text("monday")
    beside.turn()
    Copies(shared, ["batch"]).bring_back()
    with pytest.raises(FileExistsError, match=r"is there already: move it away, or remove .*bring-back"):
        beside.bring_back()
    assert (disk / "cookie-secret").exists()
    (disk / ".bringing-back").touch()
    assert beside.bring_back().startswith("brought back")
    assert not (disk / "cookie-secret").exists()
    assert not (disk / ".bringing-back").exists()


def test_what_goes_wrong_is_said_once(beside, shared, disk):
    (shared / "wanted").write_text("monday")
    (shared / "batch").write_text("in the way")
    said: list[str] = []
    stop = threading.Event()

    class Twice(threading.Event):
        def wait(self, timeout=None):
            if len(turns) > 2:
                stop.set()
            turns.append(1)
            return stop.is_set()

        def is_set(self):
            return stop.is_set()

    turns: list[int] = []
    serve(beside, Twice(), said.append, 0)
    assert len(said) == 1
    assert "trying again" in said[0]


@pytest.mark.root
def test_as_root_what_is_somebodys_still_is(tmp_path):
    (tmp_path / "spooled").mkdir()
    (tmp_path / "spooled" / "input").touch()
    os.chown(tmp_path / "spooled" / "input", 20017, 20018)
    os.chown(tmp_path / "spooled", 20017, 9618)
    copy(tmp_path / "spooled", tmp_path / "copy")
    found = (tmp_path / "copy").stat(), (tmp_path / "copy" / "input").stat()
    assert [(one.st_uid, one.st_gid) for one in found] == [(20017, 9618), (20017, 20018)]


def test_the_container_is_a_small_program(shared, disk):
    """It stands beside each daemon, so it loads the standard library and two modules of ours."""
    words = ["batch", f"--folder={shared}", f"--disk=spool={disk}", "--bring-back"]
    code = "import sys; from mlinfn_condor.backup import beside; beside.main(); print(sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code, *words], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("nobody asked for it")
    assert not {"pydantic", "typer", "psycopg", "htcondor2"} & set(eval(done.stdout.splitlines()[1]))
