"""A home without room is told of before a session starts in it, to whoever asked for it, and nothing is left behind."""

import errno
import os
import subprocess
import sys
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
