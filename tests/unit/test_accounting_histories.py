"""History files as HTCondor leaves them: growing, renamed, torn."""

import io
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.accounting import histories
from mlinfn_condor.accounting.histories import Chunk, chunk_from, files


def record(number: int, lines: int = 3) -> bytes:
    """Attributes of one record, without its banner."""
    return b"".join(b"Attribute%d = %d\n" % (line, number) for line in range(lines))


def banner(number: int) -> bytes:
    return b'*** EPOCH ClusterId=%d ProcId=0 RunInstanceId=0 Owner="alice" CurrentTime=%d\n' % (number, 1000 + number)


def written(*numbers: int, lines: int = 3) -> bytes:
    return b"".join(record(number, lines) + banner(number) for number in numbers)


def all_chunks(data: bytes, size: int, start: int = 0) -> list[Chunk]:
    """What a reader gets that goes on from where it was, until there is no more."""
    found = []
    while (chunk := chunk_from(io.BytesIO(data), start, size)) is not None:
        assert chunk.start == start < chunk.end
        found.append(chunk)
        start = chunk.end
    return found


def all_records(data: bytes, size: int) -> list[tuple[int, bytes]]:
    return [one for chunk in all_chunks(data, size) for one in chunk.records]


def test_a_rotated_file_keeps_its_fingerprint_and_comes_before_the_new_one(tmp_path: Path) -> None:
    current = tmp_path / "epoch_history"
    current.write_bytes(written(1, 2))
    (before,) = files(current)
    current.rename(tmp_path / "epoch_history.20261124T101112")
    current.write_bytes(written(3))
    rotated, new = files(current)
    assert (rotated.fingerprint, rotated.size) == (before.fingerprint, before.size)
    assert (new.path, rotated.path.name) == (current, "epoch_history.20261124T101112")
    assert new.fingerprint != rotated.fingerprint


def test_a_file_that_grows_keeps_its_fingerprint(tmp_path: Path) -> None:
    current = tmp_path / "history"
    current.write_bytes(written(1))
    (before,) = files(current)
    current.write_bytes(written(1, 2, 3))
    (after,) = files(current)
    assert after.fingerprint == before.fingerprint
    assert after.size > before.size


def test_rotated_files_come_oldest_first(tmp_path: Path) -> None:
    names = ["history.20251231T235959", "history.20260101T000000", "history.20260701T000000", "history"]
    for number, name in enumerate(names):
        (tmp_path / name).write_bytes(written(number))
    assert [file.path.name for file in files(tmp_path / "history")] == names


def test_only_the_history_itself_is_read(tmp_path: Path) -> None:
    for name in ("epoch_history", "history", "history_of_something", "historyx"):
        (tmp_path / name).write_bytes(written(len(name)))
    assert [file.path.name for file in files(tmp_path / "history")] == ["history"]


@pytest.mark.parametrize("data", [b"", record(1), record(1) + b"*** EPOCH ClusterId=1", b"Attri", b"*** EPO"])
def test_without_a_complete_record_a_file_waits(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "history").write_bytes(data)
    assert files(tmp_path / "history") == []
    assert chunk_from(io.BytesIO(data), 0) is None


def test_no_history_at_all_is_no_file(tmp_path: Path) -> None:
    assert files(tmp_path / "history") == []


def test_a_first_record_that_is_long_has_one_fingerprint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    current = tmp_path / "history"
    current.write_bytes(written(1, lines=100) + written(2))
    (whole,) = files(current)
    for first_bytes in (1, 7, 64, 1000):
        monkeypatch.setattr(histories, "_FIRST_BYTES", first_bytes)
        assert [file.fingerprint for file in files(current)] == [whole.fingerprint]


@pytest.mark.parametrize("missing", range(1, len(banner(2)) + 5))
def test_a_record_that_is_not_complete_yet_is_left_for_later(missing: int) -> None:
    whole = written(1, 2)
    (chunk,) = all_chunks(whole[:-missing], 10_000)
    assert chunk.records == [(0, record(1))]
    assert [position for position, _ in all_records(whole, 10_000)] == [0, chunk.end]


def test_a_record_torn_in_the_middle_spoils_only_what_is_glued_to_it() -> None:
    """Its writer was killed, and the next one went on in the same line."""
    data = written(1) + record(2)[:-9] + written(3, 4)
    found = all_records(data, 10_000)
    assert [text for _, text in found] == [record(1), record(2)[:-9] + record(3), record(4)]
    assert [data[position : position + len(text)] for position, text in found] == [text for _, text in found]


def test_a_record_torn_in_its_banner_eats_a_line_of_the_next_at_most() -> None:
    data = written(1) + record(2) + b"*** EPOCH Clus" + written(3, 4)
    found = [text for _, text in all_records(data, 10_000)]
    assert found == [record(1), record(2), record(3).split(b"\n", 1)[1], record(4)]


def test_a_record_longer_than_a_chunk_is_read_whole() -> None:
    data = written(1) + written(2, lines=500) + written(3)
    assert [text for _, text in all_records(data, 64)] == [record(1), record(2, 500), record(3)]


def test_a_banner_without_attributes_is_an_empty_record() -> None:
    data = banner(1) + written(2) + banner(3)
    for size in (1, 50, 10_000):
        assert [text for _, text in all_records(data, size)] == [b"", record(2), b""]


def test_stars_within_a_value_are_no_banner() -> None:
    text = b'Args = "*** not a banner"\nCmd = "a\\n*** nor this"\n'
    assert all_records(text + banner(1), 10_000) == [(0, text)]


TEXTS = st.lists(st.integers(0, 12), max_size=25)


@settings(derandomize=True, max_examples=300, deadline=None)
@given(lines=TEXTS, sizes=st.lists(st.integers(1, 600), min_size=1, max_size=8), tail=st.integers(0, 90))
def test_any_sizes_of_chunks_give_each_record_once_and_in_order(lines: list[int], sizes: list[int], tail: int) -> None:
    expected, data = [], b""
    for number, count in enumerate(lines):
        expected.append((len(data), record(number, count)))
        data += record(number, count) + banner(number)
    complete = len(data)
    data += (record(99, 4) + banner(99))[:tail]
    found, start, turn = [], 0, 0
    while (chunk := chunk_from(io.BytesIO(data), start, sizes[turn % len(sizes)])) is not None:
        found += chunk.records
        start, turn = chunk.end, turn + 1
    assert found == expected
    assert start == complete


@settings(derandomize=True, max_examples=200, deadline=None)
@given(lines=TEXTS, cuts=st.lists(st.integers(0, 3000), max_size=12), size=st.integers(1, 500))
def test_a_reader_beside_the_writer_gets_each_record_once(lines: list[int], cuts: list[int], size: int) -> None:
    data = b"".join(record(number, count) + banner(number) for number, count in enumerate(lines))
    found: list[bytes] = []
    start = 0
    for written_bytes in [*sorted(cuts), len(data)]:
        while (chunk := chunk_from(io.BytesIO(data[:written_bytes]), start, size)) is not None:
            found += [text for _, text in chunk.records]
            start = chunk.end
    assert found == [record(number, count) for number, count in enumerate(lines)]
