"""The bench `backup`: homes of 500 files, again with one changed file in each of 1 %, and one home back.

The content is random, so that nothing is saved by compression or by files that are the same; the repository is a
folder on the same disk. `homes` is 2,000 homes of tiny files, where a run that reads nothing saves least; `larger` is
fewer homes of larger files, which shows how much of the ratio is their size."""

import os
import random
import resource
import shutil
import subprocess
import time
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlinfn_condor.backup import program, restoring, running
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Made, Restic
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import home
from mlinfn_condor.embedded.report import Report, SilentReport
from mlinfn_condor.errors import UserError
from mlinfn_condor.settings import Settings

NAME = "backup"
HOMES, LARGER = "homes", "larger"
CASES = (HOMES, LARGER)
FILES = 500
FOLDERS = 10
"""Of each home."""
CHANGED_SHARE = 0.01
SEED = 7
SPARE_BYTES = 3
"""Homes, repository and what the disk rounds up, as a multiple of the content."""


@dataclass(frozen=True)
class Homes:
    """What a case backs up."""

    name: str
    people: int
    quick_people: int
    sizes: tuple[int, int]
    """Bytes of a file, evenly between them."""
    target: Target

    @property
    def bytes_each(self) -> int:
        """Of a home, about."""
        return FILES * sum(self.sizes) // 2


_KNOWN = (
    Homes(HOMES, 2_000, 100, (256, 8_192), {"second_of_first": ("<=", 0.1), "restore_s": ("<=", 10)}),
    Homes(LARGER, 100, 10, (16_384, 131_072), {}),
)


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError: no such case, or too small a disk."""
    told = opening(NAME, CASES, cases, quick=quick)
    restic = program.ensure(Settings(), report)
    done = []
    for homes in _KNOWN:
        if homes.name not in cases:
            continue
        people = homes.quick_people if quick else homes.people
        with home() as folder:
            needed = people * homes.bytes_each * SPARE_BYTES
            if shutil.disk_usage(folder).free < needed:
                raise UserError(f"{needed / 1e9:.0f} GB are needed on the disk of {folder}")
            done.append(_measure(folder, restic, homes, people, report).as_json())
    return told | {"restic": ".".join(map(str, program.version(restic))), "cases": done}


def _measure(folder: Path, binary: Path, homes: Homes, people: int, report: Report) -> Case:
    chance = random.Random(SEED)  # noqa: S311 - made-up homes
    with report.step(f"make {people} homes of {FILES} files", people) as step:
        for _ in make(folder / "homes", people, homes.sizes, chance):
            step.advance(1)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text("of this bench")
    settings = BackupSettings(repository=str(folder / "repository"), password_file=password)
    platform = Platform("bench", {"homes": folder / "homes"}, {}, None)
    room = running.Room(folder / "backup")
    restic = Restic(binary, settings, room.cache)
    restic.open(platform.name)

    def back_up() -> Made:
        return running.run(platform, restic, settings, room, SilentReport())

    with report.step("first backup"):
        first_s, first_cpu_s, first = _timed(back_up)
    changed = chance.sample(range(people), max(1, int(people * CHANGED_SHARE)))
    for one in changed:
        _write(_file(folder / "homes", one, chance.randrange(FILES)), homes.sizes, chance)
    with report.step("second backup"):
        second_s, second_cpu_s, second = _timed(back_up)
    with report.step("look at each file"):
        look_s, _, _ = _timed(lambda: _look(folder / "homes"))
    origin, target = folder / "homes" / _name(changed[0]), folder / "restored"
    with report.step("restore one home"):
        restore_s, _, _ = _timed(lambda: _restore(restic, f"homes/{origin.name}", target))
    for file in origin.rglob("*.dat"):
        if file.read_bytes() != (target / file.relative_to(origin)).read_bytes():
            raise UserError(f"{file} was not restored as it is")
    figures = {
        "files": first.files,
        "content_mb": round(first.bytes / 1e6),
        "first_s": round(first_s, 1),
        "first_cpu_s": round(first_cpu_s, 1),
        "second_s": round(second_s, 1),
        "second_cpu_s": round(second_cpu_s, 1),
        "second_of_first": round(second_s / first_s, 3),
        "second_read_files": second.read,
        "second_added_mb": round(second.added_bytes / 1e6, 1),
        "restore_s": round(restore_s, 2),
    }
    look = {"second_s": round(look_s, 1), "second_of_first": round(look_s / first_s, 3)}
    return Case(homes.name, Measured(figures), homes.target, Beside("find, which only looks", Measured(look)))


def make(root: Path, people: int, sizes: tuple[int, int], chance: random.Random) -> Iterator[Path]:
    """Homes, one after the other."""
    for person in range(people):
        for number in range(FILES):
            file = _file(root, person, number)
            if number < FOLDERS:
                file.parent.mkdir(parents=True)
            _write(file, sizes, chance)
        yield root / _name(person)


def _look(root: Path) -> None:
    """Ask each file for what tells whether it changed, and do nothing with it: no backup is faster."""
    words = ["find", str(root), "-printf", "%s %T@ %C@ %i\\n"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL)


def _restore(restic: Restic, path: str, target: Path) -> None:
    snapshot = running.latest(restic.snapshots("bench"))
    restoring.one(restic, snapshot, restoring.place_of(snapshot, path), target, overwrite=False)


def _name(person: int) -> str:
    return f"user{person:04}"


def _file(root: Path, person: int, number: int) -> Path:
    return root / _name(person) / f"folder{number % FOLDERS}" / f"file{number:03}.dat"


def _write(file: Path, sizes: tuple[int, int], chance: random.Random) -> None:
    file.write_bytes(chance.randbytes(chance.randint(*sizes)))


def _timed(act: Callable[[], Any]) -> tuple[float, float, Any]:
    """Seconds, seconds of a core that restic used, and what came of it."""
    os.sync()  # what others have still to write is not ours
    begun, used = time.monotonic(), _cpu_seconds()
    made = act()
    return time.monotonic() - begun, _cpu_seconds() - used, made


def _cpu_seconds() -> float:
    ended = resource.getrusage(resource.RUSAGE_CHILDREN)
    return ended.ru_utime + ended.ru_stime
