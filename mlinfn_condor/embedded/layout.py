"""Where the files of one embedded pool lie. Everything below one folder, readable by its owner alone."""

from dataclasses import dataclass
from pathlib import Path

LONGEST_FOLDER = 60
"""Longest path of a pool's folder (bytes): unix sockets below it end at 108."""


@dataclass(frozen=True)
class Layout:
    """Paths of one pool."""

    folder: Path

    @property
    def condor_config(self) -> Path:
        """Configuration of the central manager, the access points and every client."""
        return self.etc / "condor_config"

    @property
    def site_config(self) -> Path:
        """What this pool sets differently from `condor_config.d`; read after it."""
        return self.etc / "site.conf"

    @property
    def etc(self) -> Path:
        """Rendered configuration."""
        return self.folder / "etc"

    @property
    def leavers(self) -> Path:
        """Whose tokens are void, up to when (MLINFN_LEAVERS_MAP)."""
        return self.etc / "leavers.map"

    @property
    def token_list(self) -> Path:
        """Seals of the pool's own tokens (MLINFN_TOKEN_LIST)."""
        return self.etc / "tokens.map"

    @property
    def companions(self) -> Path:
        """Configuration of what runs beside the pool under the same master: a hub and its proxy."""
        return self.etc / "companions.conf"

    @property
    def port(self) -> Path:
        """Number of the pool's port, kept from one `up` to the next."""
        return self.etc / "port"

    @property
    def log(self) -> Path:
        """The daemons' logs."""
        return self.folder / "log"

    @property
    def spools(self) -> dict[str, Path]:
        """Where each access point keeps its queue and its histories."""
        return {"batch@": self.folder / "spool", "interactive@": self.folder / "spool-interactive"}

    @property
    def run(self) -> Path:
        """Address, ad and pid files; sockets."""
        return self.folder / "run"

    @property
    def homes(self) -> Path:
        """A home per identity of the pool: what users share with their jobs on every node."""
        return self.folder / "homes"

    @property
    def signing_key(self) -> Path:
        """The key that signs every token of the pool."""
        return self.folder / "secrets" / "keys" / "POOL"

    @property
    def session_signing_key(self) -> Path:
        """The key that signs the tokens of users in sessions: removing it ends all of them, and no daemon's."""
        return self.signing_key.with_name("sessions")

    @property
    def daemon_tokens(self) -> Path:
        """Tokens of the daemons."""
        return self.folder / "secrets" / "daemons"

    @property
    def glidein_tokens(self) -> Path:
        """The token of execution nodes that come from outside; nobody's client points there."""
        return self.folder / "secrets" / "glideins"

    @property
    def glideins(self) -> Path:
        """A folder for each glidein that runs on this machine."""
        return self.folder / "glideins"

    @property
    def glidein_requests(self) -> Path:
        """Nodes that an administrator is asked to create, where he does that by hand."""
        return self.folder / "requests"

    @property
    def glidein_settings(self) -> Path:
        """What the provisioner may start, and how much of it."""
        return self.etc / "glideins.toml"

    @property
    def glidein_journal(self) -> Path:
        """What happened to glideins, for the accounting."""
        return self.log / "glideins.jsonl"

    @property
    def glidein_leader(self) -> Path:
        """Held by the provisioner that acts."""
        return self.run / "provisioner.lock"

    @property
    def growing(self) -> Path:
        """What the provisioner tells the negotiator; read last."""
        return self.etc / "growing.conf"

    @property
    def prospects(self) -> Path:
        """What the provisioner tells the hub of nodes to come."""
        return self.run / "prospects.json"

    @property
    def master_pid(self) -> Path:
        """Process id of condor_master."""
        return self.run / "master.pid"

    @property
    def lock(self) -> Path:
        """Held while somebody brings the pool up or down."""
        return self.folder / "lifecycle.lock"

    @property
    def test_image(self) -> Path:
        """An image to try Apptainer with."""
        return self.folder / "test-image"

    def tokens_of(self, user: str) -> Path:
        """Token folder of one identity; a client points SEC_TOKEN_DIRECTORY at it."""
        return self.folder / "secrets" / "users" / user

    def node_description(self, node: str) -> Path:
        """What a node has to give."""
        return self.etc / f"{node}.json"

    def node_config(self, node: str) -> Path:
        """Configuration of one node's startd."""
        return self.etc / f"{node}.config"

    def folders(self) -> list[Path]:
        """Every folder that must exist before a daemon starts."""
        names = ["etc", "log", "run", "spool", "spool-interactive", "lock/devices", "execute", "homes"]
        return [self.folder / name for name in names] + [self.signing_key.parent, self.daemon_tokens]
