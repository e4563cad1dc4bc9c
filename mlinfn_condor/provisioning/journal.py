"""The journal of what happened to glideins, for the accounting: a line of JSON each. The recorder reads it."""

from dataclasses import asdict, dataclass
from pathlib import Path

from mlinfn_condor import json_lines


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
        """Append it. Raises OSError."""
        self._file.parent.mkdir(parents=True, exist_ok=True)
        json_lines.append(self._file, asdict(happening))
