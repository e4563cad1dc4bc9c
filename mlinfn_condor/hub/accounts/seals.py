"""Whose tokens there may be: the list of people, for pools that believe listed tokens only (15 in condor_config.d).

All tokens that the hub signs for somebody bear the same seal, so the list changes when people come and go, and not with
each session.
"""

from collections.abc import Collection
from pathlib import Path
from typing import Protocol

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.accounts.project_map import says, write


class Lister(Protocol):
    """Who signs people's tokens."""

    def listed(self, user: str) -> str:
        """The line of all tokens of a user."""


class Seals:
    """The list, for daemons alone to read: whoever read it could be everybody on it."""

    def __init__(self, path: Path, issuer: Lister, group: int | None = None) -> None:
        """`group`: of the daemons, where they are another account than this one."""
        self._path, self._issuer, self._group = path, issuer, group
        self.text = ""
        """What it says."""

    def list(self, people: Collection[str]) -> bool:
        """List these and nobody else; whether that was news. Without the key there are no tokens of theirs to list."""
        try:
            self.text = "".join(self._issuer.listed(name) for name in sorted(people))
        except MlinfnError:
            self.text = ""
        if says(self._path, self.text):
            return False
        write(self._path, self.text, 0o600 if self._group is None else 0o640, self._group)
        return True
