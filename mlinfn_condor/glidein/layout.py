"""Where a glidein's files lie: all below its work folder, which is emptied when it ends."""

import shutil
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.glidein.outcome import Exit, GlideinFailed

_MARK = ".mlinfn-glidein"


@dataclass(frozen=True)
class Layout:
    """Paths below one work folder."""

    work: Path

    @property
    def condor_config(self) -> Path:
        """HTCondor's configuration; its value in an environment also marks the glidein's daemons."""
        return self.etc / "condor_config"

    @property
    def own_config(self) -> Path:
        """What only this glidein sets; read last."""
        return self.etc / "own.conf"

    @property
    def description(self) -> Path:
        """What the node has to give, for inventory and meter."""
        return self.etc / "node.json"

    @property
    def etc(self) -> Path:
        """Rendered configuration."""
        return self.work / "etc"

    @property
    def execute(self) -> Path:
        """Scratch folders of jobs."""
        return self.work / "execute"

    @property
    def log(self) -> Path:
        """The daemons' logs."""
        return self.work / "log"

    @property
    def address(self) -> Path:
        """There when the startd listens."""
        return self.work / "run" / "startd.address"

    @property
    def daemons(self) -> list[Path]:
        """Folders that the daemons write in."""
        return [self.log, self.execute, *(self.work / name for name in ("run", "spool", "lock"))]

    @property
    def test_image(self) -> Path:
        """An image to try Apptainer with."""
        return self.work / "test-image"

    def inventory(self, kind: str) -> Path:
        """What the startd is told of its GPUs or FPGAs."""
        return self.etc / kind

    def make(self) -> None:
        """Make the folders. A folder that holds anything else than an earlier glidein's leavings is refused."""
        try:
            self.work.mkdir(parents=True, exist_ok=True)
            if any(self.work.iterdir()) and not (self.work / _MARK).exists():
                raise GlideinFailed(Exit.STARTUP, f"{self.work} is not empty: give it a work folder of its own")
            (self.work / _MARK).touch()
            self._empty()
            self.etc.mkdir()
            for folder in self.daemons:
                folder.mkdir()
            (self.work / "lock/devices").mkdir()
            # Jobs of several users find their scratch folder below it, and lock devices in lock/devices.
            (self.work / "lock/devices").chmod(0o1777)
        except OSError as error:
            raise GlideinFailed(Exit.STARTUP, f"cannot write {error.filename}: {error.strerror}") from error

    def remove(self) -> None:
        """Remove everything that was made; the folder itself stays where it is a mount, or not ours to remove."""
        if not (self.work / _MARK).exists():
            return
        self._empty()
        shutil.rmtree(self.work, ignore_errors=True)

    def _empty(self) -> None:
        for entry in self.work.iterdir():
            if entry.name == _MARK:
                continue
            if entry.is_dir() and not entry.is_symlink():
                shutil.rmtree(entry, ignore_errors=True)
            else:
                entry.unlink(missing_ok=True)
