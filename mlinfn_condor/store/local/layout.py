"""Where the files of a private PostgreSQL lie, and who may enter it. All below one folder of its owner's alone."""

import hashlib
import os
import stat
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.store.errors import ServerFailed

OWNER, RECORDER, REPORTS = "mlinfn_owner", "mlinfn_recorder", "mlinfn_reports"
SCHEDULES, IDENTITY, REST = "mlinfn_schedules", "mlinfn_identity", "mlinfn_rest"
ROLES = (OWNER, RECORDER, REPORTS, SCHEDULES, IDENTITY, REST)
"""Roles as which the operating system's user of the server may enter it; nobody else may enter at all."""
DATABASE = "mlinfn"
PORT = 5432
"""Part of the socket's name; nothing listens on a network."""
LONGEST_SOCKET = 107
"""Bytes of a unix socket's path on Linux, without the final zero."""


@dataclass(frozen=True)
class Layout:
    """Paths of one server."""

    folder: Path

    @property
    def data(self) -> Path:
        """PostgreSQL's data folder; it exists only when it is complete."""
        return self.folder / "data"

    @property
    def unfinished_data(self) -> Path:
        """What initdb works on; one rename makes it the data folder."""
        return self.folder / "data.unfinished"

    @property
    def log(self) -> Path:
        """PostgreSQL's logs of the last seven days, and what it said before it could log."""
        return self.folder / "log"

    @property
    def lock(self) -> Path:
        """Held while somebody brings the server up or down."""
        return self.folder / "lifecycle.lock"

    @property
    def own_settings(self) -> Path:
        """Settings of the administrator; never written by us, read last."""
        return self.folder / "postgresql.local.conf"

    @property
    def postmaster_pid(self) -> Path:
        """PostgreSQL's own file: process id, state and so on, one a line."""
        return self.data / "postmaster.pid"

    @property
    def socket_lock(self) -> Path:
        """PostgreSQL's own file beside the socket, with the server's process id."""
        return self.sockets / f".s.PGSQL.{PORT}.lock"

    @property
    def sockets(self) -> Path:
        """Folder of the socket, in the server's folder if the path is short enough, else a short one of the same user.

        The same folder for every caller: it depends on nothing but the server's folder and the user.
        """
        beside = self.folder / "run"
        if len(os.fsencode(beside / f".s.PGSQL.{PORT}")) <= LONGEST_SOCKET:
            return beside
        mark = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:12]
        # Not $TMPDIR nor $XDG_RUNTIME_DIR: a service and a shell of the same user may see different ones.
        return Path(f"/tmp/mlinfn-{os.geteuid()}-{mark}")  # noqa: S108 - made by make_private, which trusts no one


def make_private(folder: Path) -> None:
    """Make the folder, readable by us alone, or see that it is. Raises ServerFailed: it belongs to somebody else."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = folder.lstat()
    except OSError as error:
        raise ServerFailed(
            f"cannot write {folder}: {error.strerror}; set MLINFN_HOME to a folder of yours on a local disk"
        ) from error
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise ServerFailed(f"{folder} is not a folder of this user: remove it, or set MLINFN_HOME to another folder")
    folder.chmod(0o700)
