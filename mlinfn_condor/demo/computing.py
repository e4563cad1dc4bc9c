"""A user's Dask script, run as the user runs it: a process of its own, with nothing but the pool's environment."""

import json
import subprocess
import sys
from collections.abc import Callable

from mlinfn_condor.demo.outcome import DaskOutcome
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.demo.waiting import wait_until
from mlinfn_condor.errors import MlinfnError

WORKERS = 2
WORKERS_SECONDS = 90
END_SECONDS = 120


class ComputationFailed(MlinfnError):
    """The Dask script failed or its result is wrong; the message says how, and where its output lies."""


def compute(user: Terminal, still_coming: Callable[[], None]) -> DaskOutcome:
    """Run the script to its end; `still_coming` is asked meanwhile and raises if its jobs cannot come."""
    command = [sys.executable, "-m", "mlinfn_condor.demo.dask_script"]
    command += ["--workers", str(WORKERS), "--patience", str(WORKERS_SECONDS)]
    said, complaints = user.folder / "dask.out", user.folder / "dask.err"
    user.folder.mkdir(exist_ok=True)
    with said.open("w") as out, complaints.open("w") as err:
        process = subprocess.Popen(command, env=user.environment, cwd=user.folder, stdout=out, stderr=err)
        try:
            wait_until(lambda: _ended(process, still_coming), END_SECONDS, "the Dask computation is done")
        finally:
            if process.poll() is None:
                process.kill()
                process.wait()
    if process.returncode != 0:
        last = complaints.read_text().strip().splitlines()[-1:]
        raise ComputationFailed(f"the Dask script failed: {' '.join(last)}; all of it is in {complaints}")
    outcome = DaskOutcome(**json.loads(said.read_text().splitlines()[-1]))
    if not outcome.right:
        raise ComputationFailed(f"π came out as {outcome.area}, off by {outcome.error:g} (bound {outcome.bound:g})")
    return outcome


def _ended(process: subprocess.Popen[bytes], still_coming: Callable[[], None]) -> bool:
    still_coming()
    return process.poll() is not None
