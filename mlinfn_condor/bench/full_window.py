"""Case `full-window`: a real JupyterLab whose victim uses the whole window that it has to save its state."""

import time
from itertools import cycle
from pathlib import Path
from statistics import median

from mlinfn_condor.bench import acts
from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.single import MODELS
from mlinfn_condor.bench.stand import USERS, Stand
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout
from mlinfn_condor.session.folder import prepare, wait_until_answering

NAME = "full-window"
TARGET: Target = {"answer_s": ("<=", 5), "device_s": ("<=", 35)}
WINDOW_SECONDS = 30
"""What the pool gives a job that asks for nothing else (MLINFN_VACATE_SECONDS)."""
PATIENCE_SECONDS = 120
LOOK_SECONDS = 0.02
READY = ".mlinfn-devices-ready"
"""File that the node's wrapper makes in the scratch folder when the session holds its devices; kernels wait for it."""


def measure(stand: Stand, repeats: int, report: Report) -> Measured:
    """Sessions one after another; `answer_s` and `device_s` are the worst of all, because each is a promise."""
    stand.leave.write_text(f"{WINDOW_SECONDS}\n")
    answers, devices = [], []
    with report.step(f"{NAME}: {repeats} JupyterLabs, victims of {WINDOW_SECONDS} s", repeats) as step:
        for user, model, number in zip(cycle(USERS), cycle(reversed(MODELS)), range(repeats), strict=False):
            stand.wait_until_saturated()
            home = stand.pool.layout.homes / user
            folder = prepare(home, f"bench-{number}")
            submitted = stand.clients[user].call(acts.submit_jupyterlab, folder.path, home, model)
            server = wait_until_answering(folder, PATIENCE_SECONDS)
            answers.append(time.time() - submitted.began)
            devices.append(_ready(_scratch(server.pid)) - submitted.began)
            stand.end(user, submitted.result)
            step.advance(1)
    figures = {
        "answer_s": round(max(answers), 3),
        "answer_median_s": round(median(answers), 3),
        "device_s": round(max(devices), 3),
        "device_median_s": round(median(devices), 3),
        "n": repeats,
    }
    return Measured(figures, {"answer_s": [round(a, 4) for a in answers], "device_s": [round(d, 4) for d in devices]})


def case(ours: Measured) -> Case:
    """The case, with its target."""
    return Case(NAME, ours, TARGET)


def _scratch(pid: int) -> Path:
    """The scratch folder that HTCondor gave this process, which is ours and on this machine."""
    variables = Path(f"/proc/{pid}/environ").read_bytes().split(b"\0")
    (folder,) = (v.partition(b"=")[2].decode() for v in variables if v.startswith(b"_CONDOR_SCRATCH_DIR="))
    return Path(folder)


def _ready(scratch: Path) -> float:
    """When the session's devices became its own (seconds of the epoch). Raises Timeout."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not (scratch / READY).exists():
        if time.monotonic() > deadline:
            raise Timeout(f"the session did not get its device within {PATIENCE_SECONDS} s; its window is over")
        time.sleep(LOOK_SECONDS)
    return (scratch / READY).stat().st_mtime
