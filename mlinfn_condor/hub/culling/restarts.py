"""Restarts that were begun: a culler that is killed between stop and start leaves them to the next one."""

import json
import logging
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from mlinfn_condor.embedded.secrets import write_private

log = logging.getLogger("mlinfn.culling")

LAPSE_SECONDS = 3600.0
"""A restart that is older was for somebody who no longer waits for it."""

Key = tuple[str, str]


@dataclass(frozen=True)
class Restart:
    """A server that is stopped in order to start it again."""

    user: str
    server: str
    """Its name; empty for the default one."""
    options: Mapping[str, Any]
    """What it is to be started with."""
    ordered: float
    """Seconds of the epoch."""

    @property
    def key(self) -> Key:
        """Which session of which user."""
        return self.user, self.server

    def lapsed(self, now: float) -> bool:
        """Whether nobody waits for it any more."""
        return now - self.ordered > LAPSE_SECONDS


_FILE = TypeAdapter(list[Restart])


class Restarts:
    """Those that are not done, in one file of the hub's folder; for one process."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._begun = {one.key: one for one in self._read()}

    def begun(self) -> list[Restart]:
        """Those that are not done; at first what the culler before has left."""
        return list(self._begun.values())

    def begin(self, restart: Restart) -> None:
        """On disk when this returns. A disk that refuses is logged, and keeps nobody's device."""
        self._begun[restart.key] = restart
        self._write()

    def forget(self, key: Key) -> None:
        """It is done, or there is nothing to do."""
        if self._begun.pop(key, None) is not None:
            self._write()

    def _read(self) -> list[Restart]:
        try:
            return _FILE.validate_json(self._path.read_bytes())
        except FileNotFoundError:
            return []
        except (OSError, ValidationError) as error:
            log.warning("restarts_not_read file=%s why=%s", self._path, str(error).splitlines()[0])
            return []

    def _write(self) -> None:
        told = [asdict(one) for one in self._begun.values()]
        try:
            write_private(self._path, f"{json.dumps(told, indent=1)}\n".encode())
        except OSError as error:
            log.warning("restarts_not_written file=%s why=%s", self._path, error)
