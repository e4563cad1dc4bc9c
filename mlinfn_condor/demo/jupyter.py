"""A session on the full pool: from its submit to the first cell that computes on its device, and to its end."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.demo.narrator import Narrator
from mlinfn_condor.demo.notebook import Cell, Notebook
from mlinfn_condor.demo.outcome import SessionOutcome
from mlinfn_condor.demo.terminal import Terminal
from mlinfn_condor.demo.visitor import Visitor
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.hub.local.lifecycle import RunningHub
from mlinfn_condor.hub.sessions import slug
from mlinfn_condor.pool import JobId, JobState, Pool
from mlinfn_condor.session.folder import SessionFolder

MODEL = "A100"
END_SECONDS = 30

CELL = """\
import json, os, time
json.dumps({"device": os.environ["_CONDOR_AssignedGPUs"], "answer": sum(range(7)), "time": time.time()})"""


@dataclass(frozen=True)
class Computed:
    """What the first cell printed."""

    device: str
    answer: int
    time: float


class SessionBroken(MlinfnError):
    """The session ran, but did not do what a session must; the message says what."""


@dataclass(frozen=True)
class Session:
    """A session that has its device."""

    job: JobId
    notebook: Notebook
    outcome: SessionOutcome

    def end(self, pool: Pool) -> None:
        """Shut it down from within, and wait until its job has left."""
        self.notebook.shut_down()
        pool.wait_for(self.job, JobState.COMPLETED, END_SECONDS)


def start(user: Terminal, pool: Pool, hub: RunningHub, narrator: Narrator, labels: Mapping[str, str]) -> Session:
    """Start it at the hub, let its first cell wait for the device, and tell each event when it comes."""
    visitor = Visitor.sign_in(hub, user.user)
    narrator.say(f"{user.user} signs in at {hub.url} and asks for JupyterLab on one {MODEL}")
    submitted = running = time.time()
    for event in visitor.start(kind="gpu", model=MODEL, count=1, cpus=2, memory_mb=2048):
        if event["message"].startswith("Matched"):
            running = time.time()
        narrator.say(f"The hub tells: “{event['message']}”")
    answer = time.time()
    server = SessionFolder(user.home / ".mlinfn" / "sessions" / slug("")).server()
    if server is None or server.job is None:
        raise SessionBroken(f"the hub called {user.user}'s session ready, but no server of its told its address")
    job = JobId(PriorityClass.INTERACTIVE.access_point, *map(int, server.job.split(".")))
    notebook = Notebook(replace(server, url=f"{hub.url}user/{user.user}/"), visitor.token)
    status = notebook.status()
    if status != 200:
        raise SessionBroken(f"{notebook.server.url}lab answered {status} to its own token")
    took = f"{answer - submitted:.1f} s after the request"
    narrator.say(f"JupyterLab answers on {notebook.server.node}: HTTP {status}, {took}. Its first cell is run")
    told, computed = _first_cell(notebook, narrator)
    devices = notebook.server.devices
    if [computed.device] != devices:
        raise SessionBroken(f"the kernel was given {computed.device}, its session {', '.join(devices)}")
    narrator.say(f"The cell computed {computed.answer} with the {labels[computed.device]} to itself")
    outcome = SessionOutcome(
        str(job),
        user.user,
        devices,
        round(running - submitted, 2),
        round(answer - submitted, 2),
        round(computed.time - submitted, 2),
        status,
        told,
        str(computed.answer),
    )
    return Session(job, notebook, outcome)


def _first_cell(notebook: Notebook, narrator: Narrator) -> tuple[list[str], Computed]:
    """What the notebook said while the cell waited, and what the cell then computed."""
    told: list[str] = []
    with notebook.kernel() as kernel, narrator.waiting("the notebook's first cell is run") as show:

        def changed(cell: Cell) -> None:
            line = cell.outputs[0]
            if not line.startswith("'") and line not in told:
                if not told or "ready" in line:
                    narrator.say(f"In the notebook: “{line}”")
                told.append(line)
                show(f"In the notebook: “{line}”")

        cell = kernel.run(CELL, changed)
    if cell.status != "ok":
        raise SessionBroken(f"the first cell ended with {cell.status}: {cell.outputs[-1] if cell.outputs else ''}")
    return told, Computed(**json.loads(cell.outputs[-1].strip("'")))
