"""Where things lie in the platform's containers, and under which names its daemons find each other."""

from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.site.settings import Site

CONDOR_PORT = 9618
CONDOR_GROUP = 9618
"""Of HTCondor's daemons in the platform's images."""


@dataclass(frozen=True)
class Places:
    """The same in every container; a test has others."""

    collector: str
    """`HOST:PORT`."""
    etc: Path = Path("/etc/mlinfn")
    run: Path = Path("/run/mlinfn")
    """In memory: sockets, locks, and the secrets as files that nobody else can read."""
    log: Path = Path("/var/log/mlinfn")
    lib: Path = Path("/var/lib/mlinfn")
    """What stays: spool, the hub's folder; `shared` is on the homes' file system."""
    policy: Path = Path("/usr/share/mlinfn/condor_config.d")
    bin: Path = Path("/usr/bin")
    sbin: Path = Path("/usr/sbin")
    libexec: Path = Path("/usr/libexec/condor")
    htcondor_lib: Path = Path("/usr/lib/condor")
    port: int = CONDOR_PORT

    @property
    def secrets(self) -> Path:
        """Where the entrypoint puts them."""
        return self.run / "secrets"

    @property
    def shared(self) -> Path:
        """What daemons in several pods share."""
        return self.lib / "shared"

    @property
    def growing(self) -> Path:
        """What the central manager's pod keeps of that: it stands still with no other file system."""
        return self.lib / "growing"

    @property
    def people(self) -> Path:
        """`passwd` and `group` of the register of people; pods have it at /var/lib/extrausers."""
        return self.shared / "people"

    @property
    def token_list(self) -> Path:
        """Which of the site's own tokens are believed: a Secret that daemons read where it is mounted."""
        return self.etc / "tokens" / "tokens.map"

    @property
    def provisioning(self) -> Path:
        """The provisioner's folder."""
        return self.shared / "provisioning"


def of(site: Site) -> Places:
    """Those of a site."""
    own = f"central-manager.{site.kubernetes.namespace}.svc:{CONDOR_PORT}"
    return Places(site.external.central_manager or own)
