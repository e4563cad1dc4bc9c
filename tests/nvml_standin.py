"""The library that stands in for NVIDIA's, built from tests/standins/nvml.c, and what it is to say."""

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

import pytest

SOURCE = Path(__file__).parent / "standins" / "nvml.c"
NOT_SUPPORTED, NO_DRIVER, LOST, RESET_REQUIRED, UNKNOWN = 3, 9, 15, 16, 999


def build(folder: Path) -> Path:
    """The folder with the library in it. A skip on a laptop without compiler, a failure in CI."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail("no C compiler: install gcc or clang")
        pytest.skip("no C compiler for the stand-in of NVML")
    library = folder / "libnvidia-ml.so.1"
    subprocess.run([compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, SOURCE], check=True)
    return folder


def environment(library: Path, script: Path) -> dict[str, str]:
    """With which a process finds the library and its script."""
    return {**os.environ, "LD_LIBRARY_PATH": str(library), "NVML_STANDIN": str(script)}


def say(script: Path, lines: Iterable[str]) -> None:
    """Let the library say this from now on; a reader sees the old or the new script, never half of one."""
    fresh = script.with_suffix(".new")
    fresh.write_text("".join(f"{line}\n" for line in lines))
    fresh.rename(script)
