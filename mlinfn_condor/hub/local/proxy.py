"""configurable-http-proxy, JupyterHub's own proxy, from npm into a private folder; Node.js is a Python package."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import InstallFailed
from mlinfn_condor.settings import Settings

VERSION = "5.3.0"
NPM_SECONDS = 300


def ensure(settings: Settings, report: Report) -> list[str]:
    """The command that runs the proxy: this machine's own, or one installed now. Raises InstallFailed."""
    if found := shutil.which("configurable-http-proxy"):
        return [found]
    folder = settings.home / "proxy" / VERSION
    script = folder / "node_modules" / "configurable-http-proxy" / "bin" / "configurable-http-proxy"
    if not (folder / "ready").exists():
        with report.step("install the hub's proxy"):
            _install(folder)
    return [_program("node"), str(script)]


def _install(folder: Path) -> None:
    """Killed half-way it is begun again: the mark comes last."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [_program("npm"), "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--loglevel=error"]
    try:
        done = subprocess.run(
            [*command, f"configurable-http-proxy@{VERSION}"],
            env=os.environ
            | {
                "NODE_USE_SYSTEM_CA": "1",
                "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', os.defpath)}",
            },
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=NPM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise InstallFailed(f"npm did not install configurable-http-proxy: {error}") from error
    if done.returncode != 0:
        said = (done.stderr or done.stdout).strip().splitlines()
        raise InstallFailed(f"npm did not install configurable-http-proxy: {said[-1] if said else 'no reason given'}")
    (folder / "ready").touch()


def _program(name: str) -> str:
    """Of the project's own environment first, then of the machine."""
    own = Path(sys.executable).parent / name
    found = str(own) if own.exists() else shutil.which(name)
    if found is None:
        raise InstallFailed(f"there is no {name}: the extra `hub` brings Node.js; or install Node.js 20 or newer")
    return found
