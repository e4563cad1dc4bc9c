"""The starts of sessions as people met them, for the accounting: a line of JSON each, from the click to the answer."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path

FILE = "starts.jsonl"


@dataclass(frozen=True)
class Start:
    """One click on Start. Times are seconds of the epoch; `ready` is None when no session came of it."""

    clicked: float
    username: str
    server: str
    project: str
    model: str
    job: str
    ready: float | None
    outcome: str
    """`ready`, `failed` or `stopped` (by the user, before it was there)."""
    reason: str


def note(folder: Path, start: Start) -> None:
    """Append it, in one write: lines of two hubs do not mix. Raises OSError."""
    line = json.dumps(asdict(start), separators=(",", ":")) + "\n"
    file = os.open(folder / FILE, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
