"""Where the files of an embedded pool's hub lie."""

from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.embedded.layout import Layout
from mlinfn_condor.hub import journal


@dataclass(frozen=True)
class HubLayout:
    """Paths of the hub beside one pool."""

    pool: Layout

    @property
    def folder(self) -> Path:
        """What the hub keeps: its database, cookies' secret, accounts."""
        return self.pool.folder / "hub"

    @property
    def starts(self) -> Path:
        """The hub's journal of starts."""
        return self.folder / journal.FILE

    @property
    def settings(self) -> Path:
        """The hub's settings; `mlinfn hub up` writes them once, the rest is the administrator's."""
        return self.pool.etc / "hub.toml"

    @property
    def configuration(self) -> Path:
        """What JupyterHub is started with."""
        return self.pool.etc / "jupyterhub_config.py"

    @property
    def proxy_secret(self) -> Path:
        """With what the hub orders its proxy about."""
        return self.folder / "proxy-token"

    def script(self, name: str) -> Path:
        """What the master runs: `hub` or `proxy`."""
        return self.pool.etc / f"start-{name}"

    def log(self, name: str) -> Path:
        """What that writes."""
        return self.pool.log / f"{name}.log"

    def port(self, name: str) -> Path:
        """Number of a port that is kept from one start to the next: `public`, `hub`, `proxy` or `web`."""
        return self.pool.etc / f"port-{name}"
