"""The history files of an access point: complete records from a position on, whatever rotation does to the names.

HTCondor appends a record's attributes, one a line, and then a banner `*** …`. A file that grows too long is renamed to
`NAME.<time>` and begun anew. So a file is known by its first record, not by its name, and a position in it stays true.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from io import SEEK_END
from pathlib import Path
from typing import BinaryIO

CHUNK_BYTES = 16_000_000
"""Read at once, and stored in one transaction: about 4,000 attempts."""
_BANNER = b"\n*** "
_FIRST_BYTES = 65_536


@dataclass(frozen=True)
class HistoryFile:
    """One file that has at least one complete record."""

    path: Path
    fingerprint: str
    size: int


@dataclass(frozen=True)
class Chunk:
    """Complete records between two positions of a file."""

    start: int
    end: int
    records: list[tuple[int, bytes]]
    """Position and attributes, the banner excluded."""


def files(current: Path) -> list[HistoryFile]:
    """The file and its rotated predecessors, oldest first; those without a complete record are left for later."""
    found = []
    for path in sorted(current.parent.glob(f"{current.name}*"), key=lambda path: (path == current, path.name)):
        if path != current and not path.name.startswith(f"{current.name}."):
            continue
        try:
            with path.open("rb") as stream:
                if known := fingerprint(stream):
                    found.append(HistoryFile(path, known, stream.seek(0, SEEK_END)))
        except FileNotFoundError:  # rotated under our hands: the next look finds it under its new name
            continue
    return found


def chunk_from(stream: BinaryIO, start: int, size: int = CHUNK_BYTES) -> Chunk | None:
    """The complete records that begin at `start`, about `size` bytes of them; None while there is none."""
    while True:
        stream.seek(start)
        data = stream.read(size)
        end = _end_of_last_record(data)
        if end:
            return Chunk(start, start + end, list(_records(data[:end], start)))
        if len(data) < size:
            return None
        size *= 2  # a record longer than that


def fingerprint(stream: BinaryIO) -> str:
    """Of the file's first record; empty while that is not complete."""
    first = _first_record(stream)
    return name_by(first) if first else ""


def name_by(first: bytes) -> str:
    """How a file with this first record is called in the database."""
    return sha256(first).hexdigest()[:32]


def _first_record(stream: BinaryIO) -> bytes:
    size = _FIRST_BYTES
    while True:
        stream.seek(0)
        data = b"\n" + stream.read(size)
        banner = data.find(_BANNER)
        end = data.find(b"\n", banner + len(_BANNER)) if banner >= 0 else -1
        if end >= 0:
            return data[1:end]
        if len(data) <= size:
            return b""
        size *= 4


def _end_of_last_record(data: bytes) -> int:
    """Just behind the last banner that is complete; 0 without one."""
    banner = len(data)
    while (banner := data.rfind(_BANNER, 0, banner)) >= 0:
        if end := data.find(b"\n", banner + len(_BANNER)) + 1:
            return end
    if data.startswith(_BANNER[1:]):  # a banner alone: a record without attributes
        return data.find(b"\n") + 1
    return 0


def _records(data: bytes, start: int) -> Iterator[tuple[int, bytes]]:
    position = 0
    while position < len(data):
        banner = position - 1 if data.startswith(_BANNER[1:], position) else data.index(_BANNER, position)
        yield start + position, data[position : banner + 1]
        position = data.index(b"\n", banner + 1) + 1
