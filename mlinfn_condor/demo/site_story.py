"""Does a deployed site do what it is for? One person's way through it: in at the door, a session on a device, Dask and
a training from within, and out again. Each step is told in words, and each failure with what to look at.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests

from mlinfn_condor.demo.notebook import Kernel, Notebook
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.session.folder import Server

SESSION = "selftest"
ANSWER_SECONDS = 60
JOB_SECONDS = 900
"""Nodes come with demand, which takes minutes."""

_DEVICE = """
import os
print(os.environ.get("_CONDOR_AssignedGPUs") or os.environ.get("_CONDOR_AssignedFPGAs") or "none")
"""
_HOME = """
import os, pathlib
file = pathlib.Path.home() / ".mlinfn-selftest"
file.write_text("here"); print(file.read_text()); file.unlink()
"""
_DASK = """
from dask_jobqueue import HTCondorCluster
from distributed import Client
with HTCondorCluster() as cluster, Client(cluster) as client:
    cluster.scale(1)
    client.wait_for_workers(1, timeout={seconds})
    print(client.submit(sum, range(101)).result(timeout=60))
"""
_TRAINING = """
import pathlib, subprocess, sys, tempfile
folder = pathlib.Path(tempfile.mkdtemp(prefix="selftest-", dir=pathlib.Path.home()))
(folder / "job").write_text(f'''executable = {{sys.executable}}
arguments = -m mlinfn_condor.training.digits --folder {{folder}} --epochs 2
transfer_executable = false
should_transfer_files = NO
initialdir = {{folder}}
log = {{folder}}/log
output = {{folder}}/out
error = {{folder}}/err
request_cpus = 1
request_memory = 512MB
+PriorityClass = "batch"
queue
''')
def run(*words):
    done = subprocess.run(words, capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{{words[0]}}: {{(done.stderr or done.stdout).strip()}}")
    return done.stdout
job = run("condor_submit", "-terse", "-name", "batch@", str(folder / "job")).split()[0]
run("condor_wait", "-wait", "{seconds}", str(folder / "log"))
said = (folder / "err").read_text().strip().splitlines()[-1:]
ended = "return value 0" in (folder / "log").read_text()
print("finished" if ended else f"failed: {{' '.join(said) or (folder / 'log').read_text()[-300:]}}", job)
import shutil; shutil.rmtree(folder, ignore_errors=True)
"""


class SiteFailed(MlinfnError):
    """The site does not do what it is for; the message says at which step, why, and where to look."""

    page = "docs/deploy.md#9-prove-it"


@dataclass(frozen=True)
class Ask:
    """What the story needs."""

    url: str
    """What users open."""
    token: str
    """A user's token of the hub, from its page Token."""
    model: str
    """Of the device of the session; empty: none."""
    kind: str = "gpu"
    job_seconds: int = JOB_SECONDS
    verify: str | bool = True
    """False: any certificate; or a file of authorities."""


def play(ask: Ask, say: Callable[[str], None]) -> str:
    """Play it; returns the user's name. What was started is ended, whatever happens. Raises SiteFailed."""
    with _step("the door", "is the address right, does its name lead to the Ingress, does `proxy` run?"):
        _asked(requests.get(f"{ask.url}/hub/health", timeout=ANSWER_SECONDS, verify=ask.verify))
    say(f"{ask.url} answers")
    with _step("the token", f"make one at {ask.url}/hub/token and give it in MLINFN_HUB_TOKEN"):
        user = str(_asked(_hub(ask, "GET", "user")).json()["name"])
    say(f"the token is {user}'s")
    try:
        return _inside(ask, user, say)
    finally:
        _hub(ask, "DELETE", f"users/{user}/servers/{SESSION}", json={"remove": True})


def _inside(ask: Ask, user: str, say: Callable[[str], None]) -> str:
    with _step("the session", "the hub's own words say why; `mlinfn why` and the log of pod hub-0 say more"):
        for message in _start(ask, user):
            say(f"the hub: “{message}”")
    say("the session answers")
    notebook = Notebook(Server(f"{ask.url}/user/{user}/{SESSION}/", 0, 0, "", None, [], time.time()), ask.token)
    with _step("the notebook", "proxy and hub must reach nodes: NetworkPolicy `nodes`"), notebook.kernel() as kernel:
        device = _run(kernel, _DEVICE)
        if ask.model and device == "none":
            raise SiteFailed(f"the session was to have a {ask.model}, and its kernel sees no device")
        say(f"a cell runs, with device {device}")
        with _step(
            "the home", "is it mounted where the session runs, and does it belong to its user? docs/deploy.md, users"
        ):
            _run(kernel, _HOME)
        say("the home can be written")
        with _step("Dask", "workers must reach each other and the session: NetworkPolicy `nodes`"):
            _expect(_run(kernel, _DASK.format(seconds=ask.job_seconds)), "5050")
        say("a Dask worker came, computed and left")
        with _step("the training", "`mlinfn why JOB` while it waits; else what it says itself"):
            _expect(trained := _run(kernel, _TRAINING.format(seconds=ask.job_seconds)), "finished")
        say(f"a training ran at batch@: {trained.split()[-1]}")
    return user


def _start(ask: Ask, user: str) -> Iterator[str]:
    chosen = {"kind": ask.kind, "model": ask.model, "count": 1} if ask.model else {"kind": "none"}
    server = f"users/{user}/servers/{SESSION}"
    _asked(_hub(ask, "POST", server, json=chosen | {"cpus": 1, "memory_mb": 2048}))
    with _hub(ask, "GET", f"{server}/progress", stream=True, timeout=ask.job_seconds) as events:
        for line in events.iter_lines():
            if not line.startswith(b"data:"):
                continue
            event = json.loads(line[len(b"data:") :])
            if event.get("failed"):
                raise SiteFailed(event["message"])
            yield event["message"]
            if event.get("ready"):
                return
    raise SiteFailed("its progress ended before it was ready")


def _run(kernel: Kernel, code: str) -> str:
    cell = kernel.run(code)
    if cell.status != "ok":
        raise SiteFailed(cell.outputs[-1][-500:] if cell.outputs else "a cell failed without a word")
    return "".join(cell.outputs).strip()


def _expect(said: str, wanted: str) -> None:
    if not said.splitlines()[-1].startswith(wanted):
        raise SiteFailed(said[-500:])


def _hub(ask: Ask, method: str, path: str, timeout: float = ANSWER_SECONDS, **options: Any) -> requests.Response:
    headers = {"Authorization": f"token {ask.token}"}
    address = f"{ask.url}/hub/api/{path}"
    return requests.request(method, address, headers=headers, timeout=timeout, verify=ask.verify, **options)


def _asked(answer: requests.Response) -> requests.Response:
    if answer.status_code >= 400:
        told = answer.json().get("message", "") if "json" in answer.headers.get("Content-Type", "") else ""
        raise SiteFailed(f"HTTP {answer.status_code} {told or answer.reason}")
    return answer


@contextmanager
def _step(name: str, look_at: str) -> Iterator[None]:
    """A step that fails says which it was, and what to look at; one within another has said it already."""
    try:
        yield
    except SiteFailed as error:
        if error.__cause__ is not None:
            raise
        raise SiteFailed(f"{name}: {error}. Look at: {look_at}") from error
    except (OSError, ValueError, KeyError) as error:  # requests' and the websocket's own errors are OSErrors
        raise SiteFailed(f"{name}: {error}. Look at: {look_at}") from error
