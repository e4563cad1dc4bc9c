"""Dashboards for Grafana and alarms for Prometheus, as files that load."""

from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path


def shipped() -> list[Traversable]:
    """The files, by name."""
    return sorted(
        (file for file in files(__name__).iterdir() if file.name.endswith((".json", ".yml"))),
        key=lambda file: file.name,
    )


def write(folder: Path) -> list[Path]:
    """Write them into a folder, over those of an earlier version; what was written."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for file in shipped():
        (target := folder / file.name).write_text(file.read_text(encoding="utf-8"), encoding="utf-8")
        written.append(target)
    return written
