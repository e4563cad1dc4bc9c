"""Disks that only their own pod can mount: copied onto a shared one when a backup asks, brought back after a restore.

In the shared folder lie `wanted`, the backup that asks, and for each pod a folder of its own: `copy`, `done` (for whom
it was made), and `bring-back`, which a restore leaves. `python -m mlinfn_condor.backup.beside` is the container beside
a daemon.
"""

import argparse
import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from threading import Event

from mlinfn_condor import whole_files
from mlinfn_condor.backup.copying import copy
from mlinfn_condor.backup.settling import settle
from mlinfn_condor.complaints import Complaint
from mlinfn_condor.stopping import told_to_stop

LOOK_SECONDS = 2.0
WANTED, DONE, COPY, BRING_BACK = "wanted", "done", "copy", "bring-back"
_OF_DISK, _BEGUN = "lost+found", ".bringing-back"


@dataclass(frozen=True)
class Copies:
    """The side that asks."""

    folder: Path
    names: Sequence[str]
    patience_seconds: float = 900

    def gather(self, run: str) -> list[str]:
        """Ask for copies of all disks as of now; those of which none came in time. Raises OSError."""
        self.folder.mkdir(mode=0o755, parents=True, exist_ok=True)
        whole_files.replace(self.folder / WANTED, run)
        deadline = time.monotonic() + self.patience_seconds
        while (absent := [name for name in self.names if _read(self.folder / name / DONE) != run]) and (
            time.monotonic() < deadline
        ):
            time.sleep(min(LOOK_SECONDS / 4, self.patience_seconds))
        return absent

    def bring_back(self) -> None:
        """Have each daemon's disk filled with its copy before it starts again. Raises OSError."""
        for name in self.names:
            if (self.folder / name / COPY).is_dir():
                whole_files.replace(self.folder / name / BRING_BACK, "")


@dataclass(frozen=True)
class Beside:
    """The side of one pod: its folder in the shared one, and its disks by name."""

    folder: Path
    disks: Mapping[str, Path]
    leave_out: Sequence[str] = ()

    def turn(self) -> bool:
        """Copy if a backup asks that has no copy yet; whether it did. Raises OSError."""
        wanted = _read(self.folder.parent / WANTED)
        if not wanted or wanted == _read(self.folder / DONE):
            return False
        self.folder.mkdir(mode=0o700, exist_ok=True)
        new, place, old = (self.folder / f"{COPY}{suffix}" for suffix in (".new", "", ".old"))
        for left in (new, old):
            shutil.rmtree(left, ignore_errors=True)
        new.mkdir(mode=0o700)
        for name, disk in self.disks.items():
            copy(disk, new / name, self.leave_out)
        if place.exists():
            place.rename(old)
        new.rename(place)
        whole_files.replace(self.folder / DONE, wanted)
        shutil.rmtree(old, ignore_errors=True)
        return True

    def bring_back(self) -> str:
        """Fill the disks with their copies if a restore left word; what was done. Raises OSError, FileExistsError.

        What ran when the copy was made runs no more: daemons are told so.
        """
        if not (self.folder / BRING_BACK).exists():
            return "nobody asked for it"
        for disk in self.disks.values():
            if (there := _on(disk)) and not (disk / _BEGUN).exists():
                raise FileExistsError(
                    f"{disk} is to be brought back, and {there[0].name} is there already: move it away, or remove "
                    f"{self.folder / BRING_BACK}"
                )
        for name, disk in self.disks.items():
            for left in _on(disk):  # of one that was killed
                if left.name != _BEGUN:
                    shutil.rmtree(left) if left.is_dir() and not left.is_symlink() else left.unlink()
            (disk / _BEGUN).touch()
            for each in sorted((self.folder / COPY / name).iterdir()):
                copy(each, disk / each.name)
            settle(disk)
        (self.folder / BRING_BACK).unlink()
        for disk in self.disks.values():
            (disk / _BEGUN).unlink()
        return f"brought back: {', '.join(map(str, self.disks.values()))}"


def serve(beside: Beside, stop: Event, say: Callable[[str], None], look_seconds: float = LOOK_SECONDS) -> None:
    """Until `stop`. What goes wrong is said once and tried again: the backup says that no copy came."""
    complaint = Complaint(say)
    while not stop.is_set():
        try:
            if beside.turn():
                complaint.settle()
        except OSError as error:
            complaint.make(f"copies: {error}; trying again")
        stop.wait(look_seconds)


def main() -> None:
    """The container; with --bring-back what runs before its daemon."""
    parser = argparse.ArgumentParser(prog="mlinfn_condor.backup.beside", description=__doc__)
    parser.add_argument("name", help="of the pod: its folder in the shared one")
    parser.add_argument("--folder", type=Path, required=True, help="the shared one")
    parser.add_argument("--disk", action="append", required=True, help="NAME=FOLDER")
    parser.add_argument("--leave-out", action="append", default=[], help="a name at the top of a disk")
    parser.add_argument("--bring-back", action="store_true", help="fill the disks after a restore, and end")
    given = parser.parse_args()
    disks = {name: Path(path) for name, _, path in (disk.partition("=") for disk in given.disk)}
    beside = Beside(given.folder / given.name, disks, given.leave_out)
    if given.bring_back:
        try:
            print(beside.bring_back())  # noqa: T201
        except OSError as error:
            sys.exit(str(error))
        return
    serve(beside, told_to_stop(), lambda text: print(text, file=sys.stderr, flush=True))  # noqa: T201


def _on(disk: Path) -> list[Path]:
    return sorted(each for each in disk.iterdir() if each.name != _OF_DISK)


def _read(file: Path) -> str:
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""


if __name__ == "__main__":
    main()
