"""The bench `backup`: 2,000 homes of 500 small files, again with one changed file in each of 1 %, and one home back.

The content is random, so that nothing is saved by compression or by files that are the same; the repository is a
folder on the same disk."""

import os
import random
import shutil
import time
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from mlinfn_condor.backup import program, restoring, running
from mlinfn_condor.backup.platform import Platform
from mlinfn_condor.backup.restic import Restic
from mlinfn_condor.backup.settings import BackupSettings
from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import home
from mlinfn_condor.embedded.report import Report, SilentReport
from mlinfn_condor.errors import UserError
from mlinfn_condor.settings import Settings

NAME = "backup"
HOMES = "homes"
CASES = (HOMES,)
PEOPLE, QUICK_PEOPLE = 2_000, 100
FILES = 500
FOLDERS = 10
"""Of each home."""
SIZES = (256, 8_192)
"""Bytes of a file, evenly between them."""
CHANGED_SHARE = 0.01
TARGET: Target = {"second_of_first": ("<=", 0.1), "restore_s": ("<=", 10)}
SEED = 7
SPARE_BYTES = 3
"""Homes, repository and what the disk rounds up, as a multiple of the content."""


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError: no such case, or too small a disk."""
    told = opening(NAME, CASES, cases, quick=quick)
    people = QUICK_PEOPLE if quick else PEOPLE
    restic = program.ensure(Settings(), report)
    with home() as folder:
        needed = people * FILES * (sum(SIZES) // 2) * SPARE_BYTES
        if shutil.disk_usage(folder).free < needed:
            raise UserError(f"{needed / 1e9:.0f} GB are needed on the disk of {folder}")
        done = _measure(folder, restic, people, report)
    return told | {"restic": ".".join(map(str, program.version(restic))), "cases": [done.as_json()]}


def _measure(folder: Path, binary: Path, people: int, report: Report) -> Case:
    chance = random.Random(SEED)  # noqa: S311 - made-up homes
    with report.step(f"make {people} homes of {FILES} files", people) as step:
        for _ in make(folder / "homes", people, chance):
            step.advance(1)
    password = folder / "password"
    password.touch(mode=0o600)
    password.write_text("of this bench")
    settings = BackupSettings(repository=str(folder / "repository"), password_file=password)
    platform = Platform("bench", {"homes": folder / "homes"}, {}, None)
    room = running.Room(folder / "backup")
    restic = Restic(binary, settings, room.cache)
    restic.open(platform.name)
    with report.step("first backup"):
        first_s, first = _timed(lambda: running.run(platform, restic, settings, room, SilentReport()))
    changed = chance.sample(range(people), max(1, int(people * CHANGED_SHARE)))
    for one in changed:
        _write(_file(folder / "homes", one, chance.randrange(FILES)), chance)
    with report.step("second backup"):
        second_s, second = _timed(lambda: running.run(platform, restic, settings, room, SilentReport()))
    target = folder / "restored"
    with report.step("restore one home"):
        restore_s, _ = _timed(lambda: _restore(restic, room, str(folder / "homes" / _name(changed[0])), target))
    for file in (folder / "homes" / _name(changed[0])).rglob("*.dat"):
        if file.read_bytes() != (target / file.relative_to(folder / "homes" / _name(changed[0]))).read_bytes():
            raise UserError(f"{file} was not restored as it is")
    figures = {
        "files": first.files,
        "content_mb": round(first.bytes / 1e6),
        "first_s": round(first_s, 1),
        "second_s": round(second_s, 1),
        "second_of_first": round(second_s / first_s, 3),
        "second_added_mb": round(second.added_bytes / 1e6, 1),
        "restore_s": round(restore_s, 2),
    }
    return Case(HOMES, Measured(figures), TARGET)


def make(root: Path, people: int, chance: random.Random) -> Iterator[Path]:
    """Homes, one after the other."""
    for person in range(people):
        for number in range(FILES):
            file = _file(root, person, number)
            if number < FOLDERS:
                file.parent.mkdir(parents=True)
            _write(file, chance)
        yield root / _name(person)


def _restore(restic: Restic, room: running.Room, path: str, target: Path) -> None:
    snapshot = running.latest(restic.snapshots("bench"))
    restoring.manifest_of(restic, snapshot, room.folder)
    restoring.one(restic, snapshot, path, target, overwrite=False)


def _name(person: int) -> str:
    return f"user{person:04}"


def _file(root: Path, person: int, number: int) -> Path:
    return root / _name(person) / f"folder{number % FOLDERS}" / f"file{number:03}.dat"


def _write(file: Path, chance: random.Random) -> None:
    file.write_bytes(chance.randbytes(chance.randint(*SIZES)))


def _timed(act: Any) -> tuple[float, Any]:
    os.sync()  # what others have still to write is not ours
    begun = time.monotonic()
    made = act()
    return time.monotonic() - begun, made
