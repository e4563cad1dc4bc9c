"""A whole platform in one folder, spoken to as its administrator does."""

import os
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

from mlinfn_condor.embedded import lifecycle as pools
from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.settings import Settings
from mlinfn_condor.store.local import LocalServer

COMMAND_SECONDS = 120


@dataclass
class Folder:
    """Pool, hub, database and what else a story brings up."""

    settings: Settings
    more: dict[str, str] = field(default_factory=dict)
    """Variables of its commands beside those that name the pool."""
    python: Path = Path(sys.executable)
    """Of the version that its commands are."""

    @property
    def layout(self) -> Layout:
        return Layout(self.settings.pool_folder)

    @property
    def database(self) -> LocalServer:
        return LocalServer(self.settings.home / "database")

    @property
    def environment(self) -> dict[str, str]:
        named = {"MLINFN_HOME": str(self.settings.home), "MLINFN_POOL": self.settings.pool}
        return {name: value for name, value in os.environ.items() if name != "CONDOR_CONFIG"} | named | self.more

    def mlinfn(self, *words: str, code: int = 0) -> str:
        """What a command says on stdout, and on stderr if it is to fail."""
        done = subprocess.run(
            [self.python, "-m", "mlinfn_condor.cli", *words],
            env=self.environment, cwd=self.settings.home, capture_output=True, text=True, timeout=COMMAND_SECONDS,
        )  # fmt: skip
        assert done.returncode == code, done.stdout + done.stderr
        return done.stdout + (done.stderr if code else "")

    def condor(self, *words: str, user: str = "admin") -> str:
        """What one of HTCondor's commands says to this user."""
        own = os.environ | pools.environment(self.settings, user)
        return subprocess.run(words, env=own, capture_output=True, text=True, check=True, timeout=60).stdout
