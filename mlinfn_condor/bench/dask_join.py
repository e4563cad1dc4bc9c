"""Case `join200`: from `scale(200)` to 200 workers that the scheduler knows."""

import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from mlinfn_condor.bench.dask_stand import Stand
from mlinfn_condor.bench.figures import Measured, Target
from mlinfn_condor.errors import Timeout

NAME = "join200"
WORKERS = 200
TARGET: Target = {"seconds": ("<=", 60), "joined": (">=", WORKERS)}
PATIENCE_SECONDS = 180
EMPTY_SECONDS = 120
NURSERY_SECONDS = 30
LOOK_SECONDS = 0.1


def measure(stand: Stand, kind: str, workers: int) -> Measured:
    """Have so many workers join, once; then wait until the queue is empty again. Raises Timeout."""
    with _nursery(stand.folder) as python:
        with replace(stand, node_python=f"exec {python}").notebook(kind, workers, PATIENCE_SECONDS) as notebook:
            told = notebook.next(PATIENCE_SECONDS + EMPTY_SECONDS)
        deadline = time.monotonic() + EMPTY_SECONDS
        while stand.running() and time.monotonic() < deadline:
            time.sleep(LOOK_SECONDS)
    joined = {"joined": told["joined"]}
    if "seconds" not in told:
        return Measured(joined, {}, [f"only {told['joined']} of {workers} joined within {PATIENCE_SECONDS} s"])
    return Measured({"seconds": round(told["seconds"], 1), **joined, "submits": told["submits"]})


@contextmanager
def _nursery(folder: Path) -> Iterator[str]:
    """The stand-in for the nodes' Python: what a job has to execute."""
    payload = Path(__file__).parent / "payloads" / "worker"
    socket = folder / "nursery"
    socket.unlink(missing_ok=True)
    with subprocess.Popen([sys.executable, payload, "serve", socket], stdin=subprocess.DEVNULL) as server:
        try:
            deadline = time.monotonic() + NURSERY_SECONDS
            while not socket.exists():
                if server.poll() is not None or time.monotonic() > deadline:
                    raise Timeout("the stand-in for the nodes' Python did not start")
                time.sleep(LOOK_SECONDS)
            yield f"{sys.executable} -ISE {payload} {socket}"
        finally:
            server.kill()
