"""Where and with what a bench ran, so that its numbers can be compared."""

import os
import platform
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from mlinfn_condor.embedded import distribution
from mlinfn_condor.settings import Settings


def machine() -> dict[str, str | int | float]:
    """The computer, and how busy it was when the bench began."""
    return {
        "cpu": _first(Path("/proc/cpuinfo"), "model name") or platform.machine(),
        "cpus": len(os.sched_getaffinity(0)),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1024**3),
        "system": _os_name(platform.freedesktop_os_release()),
        "kernel": platform.release(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def versions() -> dict[str, str]:
    """Of everything whose version may matter."""
    found = distribution.find(Settings())
    told = {"HTCondor": found.version if found else "none", "Python": platform.python_version()}
    for package in ("mlinfn-condor", "htcondor", "jupyterlab", "dask-jobqueue", "distributed"):
        with suppress(PackageNotFoundError):
            told[package] = version(package)
    return told


def _os_name(release: Mapping[str, str]) -> str:
    return release.get("PRETTY_NAME", platform.system())


def _first(path: Path, name: str) -> str:
    lines = path.read_text().splitlines() if path.exists() else []
    return next((line.partition(":")[2].strip() for line in lines if line.startswith(name)), "")
