"""The starts of sessions as people met them, for the accounting: a line of JSON each, from the click to the answer."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mlinfn_condor import json_lines

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
    """Append it. Raises OSError."""
    json_lines.append(folder / FILE, asdict(start))
