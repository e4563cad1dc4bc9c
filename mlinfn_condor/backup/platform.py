"""What a site consists of, as a backup sees it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.backup.beside import Copies
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.settings import Settings
from mlinfn_condor.storage.settings import StorageSettings

HOMES, PROJECTS = "homes", "projects"
_OF_POOL = ("etc", "secrets", "spool", "spool-interactive", "hub", "requests", "log/glideins.jsonl")
"""Below an embedded pool's folder. Logs and what daemons make anew at each start are left out."""


@dataclass(frozen=True)
class Platform:
    """One site. What is not there is not backed up, and not missed."""

    name: str
    trees: Mapping[str, Path]
    """Large, read where they lie, by name: `homes`, `projects`. The name is the path's last part: by it a tree is found
    in a backup."""
    state: Mapping[str, Path]
    """Small, copied within a moment, by name: queues, histories, accountant, configuration, secrets, the hub."""
    dsn: str | None
    """Its database, if there is one."""
    copies: Copies | None = None
    """Disks that it cannot reach, and whose copies it asks for."""

    def __post_init__(self) -> None:
        if wrong := [str(path) for name, path in self.trees.items() if path.name != name]:
            raise ValueError(f"not named as their tree: {', '.join(wrong)}")


def of_site(
    settings: Settings,
    storage: StorageSettings,
    more: Mapping[str, Path],
    dsn: str | None,
    copies: Copies | None = None,
) -> Platform:
    """The embedded pool that the settings name, and `more` folders of its state."""
    folder = settings.pool_folder.absolute()
    layout = Layout(folder)
    root = storage.root
    trees = {HOMES: root / HOMES if root else layout.homes, PROJECTS: (root or folder) / PROJECTS}
    state = {name.replace("/", "-"): folder / name for name in _OF_POOL}
    state["postgresql.local.conf"] = settings.home / "database" / "postgresql.local.conf"
    return Platform(settings.pool, trees, {**state, **more}, dsn, copies)
