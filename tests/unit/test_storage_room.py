"""A home without room is told of before a session starts in it, to whoever asked for it, and nothing is left behind."""

import errno
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from mlinfn_condor.session.folder import prepare, prepare_for_hub
from mlinfn_condor.storage.errors import HomeFull
from mlinfn_condor.storage.room import Disk, RoomSettings, refuse_full

SETTINGS = RoomSettings(least_free_mb=20, least_free_files=100)
ENOUGH = Disk(free_bytes=20 * 2**20, free_files=100)


def test_enough_room_is_no_reason(tmp_path: Path) -> None:
    refuse_full(tmp_path, SETTINGS, lambda _: ENOUGH)
    refuse_full(tmp_path, SETTINGS, lambda _: Disk(ENOUGH.free_bytes, None))
    refuse_full(tmp_path / "not-made-yet", SETTINGS)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("disk", "reason"),
    [
        (Disk(20 * 2**20 - 1, 100), "20 MB are left of its disk"),
        (Disk(0, 100), "0 MB are left of its disk"),
        (Disk(20 * 2**20, 99), "its disk holds only 99 more files"),
    ],
)
def test_too_little_room_is_told_with_what_to_do(tmp_path: Path, disk: Disk, reason: str) -> None:
    with pytest.raises(HomeFull, match=f"the home .* is full .{reason}.: remove files, or ask for more room"):
        refuse_full(tmp_path, SETTINGS, lambda _: disk)


@pytest.mark.parametrize(("number", "reason"), [(errno.EDQUOT, "its quota is used up"), (errno.ENOSPC, "disk is full")])
def test_a_quota_shows_only_when_something_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, reason: str
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("mlinfn_condor.storage.room.os.fsync", refuse)
    with pytest.raises(HomeFull, match=reason):
        refuse_full(tmp_path, SETTINGS, lambda _: ENOUGH)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("start", [lambda home: prepare(home, "a"), lambda home: prepare_for_hub(home, "a", {})])
def test_no_session_starts_in_a_full_home_and_what_was_there_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, start
) -> None:
    (tmp_path / "work.ipynb").write_text("kept")
    monkeypatch.setenv("MLINFN_STORAGE_LEAST_FREE_MB", str(10**9))
    with pytest.raises(HomeFull, match="nothing could be saved as it is"):
        start(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["work.ipynb"]


def test_a_job_that_finds_the_home_full_says_so_in_one_line(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "mlinfn_condor.session.server", "--folder", tmp_path, "--root-dir", tmp_path],
        env=os.environ | {"MLINFN_STORAGE_LEAST_FREE_MB": str(10**9)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(f"the home {tmp_path} is full")
    assert len(done.stderr.splitlines()) == 1


@pytest.fixture
def small_disk(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python with a real disk of 128 KiB at the folder that it is told as `{disk}`."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mounted = f"mount -t tmpfs -o size=128k tmpfs {disk} && "
    tried = subprocess.run(["unshare", "-rm", "sh", "-c", f"{mounted}true"], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("this machine gives ordinary users no namespaces of their own")

    def run(first: str, *words: str) -> subprocess.CompletedProcess[str]:
        told = [word.format(disk=disk) for word in words]
        script = f'{mounted}{first.format(disk=disk)}; exec {sys.executable} "$@"'
        # Nothing is asked of the disk beforehand: what is full shows when it is written.
        blind = {"MLINFN_STORAGE_LEAST_FREE_MB": "0", "MLINFN_STORAGE_LEAST_FREE_FILES": "0"}
        command = ["unshare", "-rm", "sh", "-c", script, "sh", *told]
        return subprocess.run(command, env=os.environ | blind, capture_output=True, text=True, check=False)

    return run


FILL = "echo kept >{disk}/work.ipynb; dd if=/dev/zero of={disk}/fill bs=1k 2>/dev/null"


def test_a_session_on_a_disk_that_is_really_full_says_so_in_one_line_and_does_not_start(small_disk) -> None:
    done = small_disk(FILL, "-m", "mlinfn_condor.session.server", "--folder", "{disk}/s", "--root-dir", "{disk}")
    assert done.returncode == 1
    assert re.fullmatch(
        r"the home .* is full \(its disk is full\): remove files, or ask for more room; .*\n", done.stderr
    )


def test_a_training_whose_disk_has_no_room_for_its_state_says_so_in_its_last_line(small_disk) -> None:
    some = f"{FILL}; truncate -s -16384 {{disk}}/fill"
    done = small_disk(some, "-m", "mlinfn_condor.training.digits", "--folder", "{disk}/ck", "--epochs", "3")
    assert done.returncode == 1
    said = (
        r"digits: no checkpoint could be saved in .*/ck: its disk is full\. .* remove files, or ask for more room, .*"
    )
    assert re.fullmatch(said, done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr


def test_what_a_training_saved_is_there_when_its_disk_has_become_full(small_disk) -> None:
    code = (
        "import pathlib; from mlinfn_condor.training.checkpointing import Checkpoint, NoRoomToSave\n"
        "ck = Checkpoint(pathlib.Path('{disk}/ck')); ck.save(b'first')\n"
        "try: ck.save(bytes(200_000))\n"
        "except NoRoomToSave as error: print(error)\n"
        "print(ck.load(), len(list(ck.folder.iterdir())))"
    )
    done = small_disk("true", "-c", code)
    said, kept = done.stdout.splitlines()
    assert re.fullmatch(
        r"no checkpoint could be saved in .*/ck: its disk is full\. What was saved before is there: .*", said
    )
    assert kept == "b'first' 1"
