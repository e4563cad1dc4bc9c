"""Homes and projects' folders of people: made when he first starts a session, and given to whom they belong."""

import grp
import logging
import os
import pwd
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.storage.errors import StorageFailed
from mlinfn_condor.storage.homes import Homes, LocalHomes, NfsHomes, Owner
from mlinfn_condor.storage.settings import StorageSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Numbers:
    """By which numbers the file system knows people and projects. Both raise StorageFailed for unknown names."""

    of_user: Callable[[str], Owner]
    of_project: Callable[[str], int]


def one_account() -> Numbers:
    """This process's own: it runs everything, as in an embedded pool."""
    return Numbers(lambda _: Owner(os.geteuid(), os.getegid()), lambda _: os.getegid())


def operating_system() -> Numbers:
    """Those of accounts and groups of the operating system that hub and nodes have in common."""
    return Numbers(_owner, _group)


class PeoplesHomes:
    """For the hub's spawners; its acts may block as long as the file system does."""

    def __init__(self, homes: Homes, numbers: Numbers, projects_root: Path) -> None:
        self._homes, self._numbers, self._projects_root = homes, numbers, projects_root
        self._ready = False

    def have(self, user: str, projects: Iterable[str]) -> None:
        """Make what is missing of home and projects' folders. Raises StorageFailed for want of the home alone."""
        if not self._ready:
            self._homes.ready()
            self._ready = True
        self._homes.home(user, self._numbers.of_user(user))
        for project in projects:
            try:
                self._homes.project(project, self._numbers.of_project(project))
            except StorageFailed as error:
                log.warning("no folder for project %s: %s", project, error)

    def project(self, name: str) -> Path:
        """Where the folder of a project lies."""
        return self._projects_root / name


def of_settings(settings: StorageSettings, *, own_accounts: bool) -> PeoplesHomes | None:
    """None where the settings name no place: then homes are made by others."""
    if settings.root is None:
        return None
    homes: Homes = NfsHomes(settings.root, settings.nfs) if settings.nfs else LocalHomes(settings.root)
    return PeoplesHomes(homes, operating_system() if own_accounts else one_account(), settings.root / "projects")


def _owner(user: str) -> Owner:
    try:
        found = pwd.getpwnam(user)
    except KeyError:
        raise StorageFailed(
            f"{user} is no account of the operating system here: `mlinfn identity list` shows whom the site knows"
        ) from None
    if found.pw_uid == 0:
        raise StorageFailed(f"{user} is root here, for whom no job runs")
    return Owner(found.pw_uid, found.pw_gid)


def _group(project: str) -> int:
    try:
        return grp.getgrnam(project).gr_gid
    except KeyError:
        raise StorageFailed(f"there is no group {project} here") from None
