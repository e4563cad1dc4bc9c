"""TLS between scheduler and workers: a certificate that is made for one cluster, and dies with it.

What a worker needs travels as files, from a folder of mode 700 here through HTCondor's encrypted transfer into the
job's own folder there. A job's ad, which anybody may read, holds their names only.
"""

import copy
import os
import shutil
import tempfile
import weakref
from pathlib import Path

from distributed.security import Security

FOLDER = Path(".mlinfn") / "dask"
"""Below the home."""
PARTS = {"ca_file": "tls_ca_file", "cert": "tls_worker_cert", "key": "tls_worker_key"}


class Credentials:
    """A worker's files, until they are cleared away."""

    def __init__(self, security: Security, home: Path | None = None) -> None:
        """Write what lies in memory; what is a file already stays where it is."""
        known = security.get_tls_config_for_role("worker")
        self.files: list[Path] = []
        self.security = copy.copy(security)
        """The same, for a worker: its parts are files of its own folder."""
        above = (home or Path.home()) / FOLDER
        above.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.folder = Path(tempfile.mkdtemp(prefix="tls-", dir=above))
        self.clear = weakref.finalize(self, shutil.rmtree, self.folder, ignore_errors=True)
        """Remove the files. Happens by itself when the cluster is forgotten or the interpreter ends."""
        for part, attribute in PARTS.items():
            if "\n" in (known[part] or ""):
                file = self.folder / f"dask-{part.removesuffix('_file')}.pem"
                _write(file, known[part])
                self.files.append(file)
                # The shell around the worker puts in the job's folder: a task may change the working directory.
                setattr(self.security, attribute, f'"$PWD"/{file.name}')

    @property
    def directives(self) -> dict[str, str]:
        """Submit commands that bring the files to the job."""
        if not self.files:
            return {}
        listed = ", ".join(str(file) for file in self.files)
        return {"transfer_input_files": listed, "encrypt_input_files": listed}


def _write(file: Path, text: str) -> None:
    with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as opened:
        opened.write(text)
