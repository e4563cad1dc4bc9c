"""The journal of what happened to glideins, for the accounting: a line of JSON each. The recorder reads it."""

import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path


@dataclass(frozen=True)
class Happening:
    """One thing that happened. `at` is in seconds of the epoch."""

    at: float
    kind: str
    """`asked`, `refused`, `joined`, `retired`, `kept on`, `removed` or `gone`."""
    subject: str
    """The glidein's name."""
    detail: str
    """Why, in words."""


class Journal:
    """A file that only grows; of two writers no two lines mix."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def note(self, happening: Happening) -> None:
        """Append it, in one write. Raises OSError."""
        line = json.dumps(asdict(happening), separators=(",", ":")) + "\n"
        self._file.parent.mkdir(parents=True, exist_ok=True)
        file = os.open(self._file, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
        try:
            os.write(file, line.encode())
        finally:
            os.close(file)
