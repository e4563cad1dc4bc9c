"""Whatever kills a training, and whenever: the last saved state, or the one before a torn file, is found again."""

import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.training.checkpointing import KEPT, Checkpoint, CheckpointsDamaged

SAVES_AND_DIES = """
import os, signal, sys
from pathlib import Path
from mlinfn_condor.training.checkpointing import Checkpoint

checkpoint, left = Checkpoint(Path(sys.argv[1])), int(sys.argv[2])
checkpoint.save(b"one")
checkpoint.save(b"two")

def die_at_one_step(event, _arguments):
    global left
    if event.startswith(("os.", "open", "tempfile.")):
        left -= 1
        if left == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.addaudithook(die_at_one_step)
checkpoint.save(b"three")
os._exit(0)
"""


def files(folder):
    return sorted(path for path in folder.iterdir() if path.name.startswith("checkpoint-"))


def test_nothing_saved_is_none(tmp_path):
    assert Checkpoint(tmp_path / "not there").load() is None


@given(states=st.lists(st.binary(max_size=200), min_size=1, max_size=6))
def test_the_last_saved_state_is_loaded(states):
    with tempfile.TemporaryDirectory() as folder:
        for state in states:
            Checkpoint(Path(folder)).save(state)
            assert Checkpoint(Path(folder)).load() == state
        assert len(files(Path(folder))) == min(len(states), KEPT)


@given(last=st.binary(max_size=200), data=st.data())
def test_a_torn_file_is_skipped_for_the_one_before(last, data):
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder))
        checkpoint.save(b"before")
        checkpoint.save(last)
        newest = files(Path(folder))[-1]
        whole = newest.read_bytes()
        length = data.draw(st.integers(0, len(whole) - 1))
        newest.write_bytes(whole[:length] + data.draw(st.sampled_from([b"", b"\0" * (len(whole) - length)])))
        assert checkpoint.load() == (last if newest.read_bytes() == whole else b"before")


@given(last=st.binary(min_size=1, max_size=200), data=st.data())
def test_a_single_flipped_bit_is_noticed(last, data):
    with tempfile.TemporaryDirectory() as folder:
        checkpoint = Checkpoint(Path(folder))
        checkpoint.save(b"before")
        checkpoint.save(last)
        newest = files(Path(folder))[-1]
        content = bytearray(newest.read_bytes())
        content[data.draw(st.integers(0, len(content) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        newest.write_bytes(content)
        assert checkpoint.load() == b"before"


def test_saving_goes_on_after_a_torn_file(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(b"before")
    checkpoint.save(b"torn")
    files(tmp_path)[-1].write_bytes(b"")
    checkpoint.save(b"after")
    assert checkpoint.load() == b"after"


def test_when_all_are_torn_it_says_so_instead_of_starting_afresh(tmp_path):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(b"one")
    files(tmp_path)[0].write_bytes(b"")
    with pytest.raises(CheckpointsDamaged, match="empty the folder"):
        checkpoint.load()


def test_a_full_disk_leaves_the_state_as_it_was(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path)
    checkpoint.save(b"one")

    def full(_handle):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match=r"its disk is full. What was saved before is there"):
        checkpoint.save(b"two")
    assert checkpoint.load() == b"one"
    assert len(list(tmp_path.iterdir())) == 1, "the unfinished file is gone"


def test_killed_at_each_step_of_a_save(tmp_path):
    """SIGKILL at the 1st, 2nd, 3rd … thing that a save does to the file system, until a save gets through."""
    found = []
    for step in range(1, 40):
        folder = tmp_path / str(step)
        code = subprocess.run([sys.executable, "-c", SAVES_AND_DIES, folder, str(step)], check=False).returncode
        found.append(Checkpoint(folder).load())
        if code == 0:
            break
        assert code == -signal.SIGKILL
        Checkpoint(folder).save(b"four")
        assert Checkpoint(folder).load() == b"four"
        assert len(list(folder.iterdir())) <= KEPT, "what the killed save left behind is gone"
    assert code == 0
    assert found == sorted(found, reverse=True), "two until the rename, three ever after"
    assert set(found) == {b"two", b"three"}
    assert found.count(b"two") >= 2
