"""The pool of the bench `dask`: nodes that have as many slots as the case needs, and a user's notebook."""

import json
import os
import queue
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from mlinfn_condor.bench.stand import home
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import distribution, lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import Timeout
from mlinfn_condor.node.description import Node
from mlinfn_condor.settings import Settings

NODES = 4
WORKER_MB = 1024
OPTIONS = {"cores": 1, "memory": f"{WORKER_MB}MiB", "disk": "50MB"}
"""Of each worker, on both sides."""


_NAME = re.compile(r"--name\W+(?P<name>[\w.-]+)")


class Notebook:
    """A process that tells what happens, line by line."""

    def __init__(self, process: subprocess.Popen[str], complaints: Path) -> None:
        self._process, self._complaints = process, complaints
        self._lines: queue.Queue[str] = queue.Queue()
        threading.Thread(target=self._read, args=[process.stdout], daemon=True).start()

    def _read(self, said: IO[str]) -> None:
        for line in said:
            self._lines.put(line)
        self._lines.put("")

    def said(self) -> bool:
        """Whether there is something to read, or nothing to come."""
        return not self._lines.empty()

    def next(self, seconds: float) -> dict[str, Any]:
        """What it says next. Raises Timeout, with its complaints, also when it has ended."""
        try:
            line = self._lines.get(timeout=seconds)
        except queue.Empty:
            line = ""
        if not line:
            last = self._complaints.read_text(errors="replace").strip().splitlines()[-1:]
            raise Timeout(f"the notebook did not go on: {' '.join(last) or 'it said nothing'}")
        return dict(json.loads(line))


@dataclass(frozen=True)
class Stand:
    """A running pool, as one user sees it."""

    environment: Mapping[str, str]
    folder: Path
    node_python: str = "exec python"

    def complaints(self, kind: str) -> str:
        """What the notebook wrote on its standard error."""
        return (self.folder / f"{kind}.err").read_text(errors="replace")

    def running(self) -> dict[str, str]:
        """Workers whose job runs, with that job, as `12.0`; asked by command, for a process speaks to one pool only."""
        command = ["condor_q", "-name", PriorityClass.DASK.access_point, "-constraint", "JobStatus == 2"]
        said = self._run(*command, "-af:j", "Arguments")
        return {name["name"]: line.split()[0] for line in said.splitlines() if (name := _NAME.search(line))}

    def evict(self, job: str) -> None:
        """Tell a worker to go, as a session would that takes its device."""
        self._run("condor_vacate_job", "-name", PriorityClass.DASK.access_point, job)

    def _run(self, *command: str) -> str:
        return subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False).stdout

    @contextmanager
    def notebook(self, kind: str, workers: int, patience: float, words: Sequence[str] = ()) -> Iterator[Notebook]:
        """Run the notebook; it is stopped at the end, if it has not ended."""
        options = json.dumps(OPTIONS | {"python": self.node_python})
        command = [sys.executable, "-m", "mlinfn_condor.bench.dask_notebook", kind, "--workers", str(workers)]
        command += ["--patience", str(patience), "--options", options, *words]
        complaints = self.folder / f"{kind}.err"
        with (
            complaints.open("w") as err,
            subprocess.Popen(
                command, env=self.environment, cwd=self.folder, stdout=subprocess.PIPE, stderr=err, text=True
            ) as process,
        ):
            try:
                yield Notebook(process, complaints)
                process.wait(120)
            finally:
                process.kill()


def nodes(slots: int) -> tuple[Node, ...]:
    """Nodes with room for `slots` workers together. Half of a node without devices is for sessions."""
    each = -(-slots // NODES)
    stands_for = "as many cores as the bench has workers, whatever this machine has"
    return tuple(
        Node(f"node{number}", 2 * each, 2 * each * (WORKER_MB + 128), stands_for=stands_for)
        for number in range(1, NODES + 1)
    )


@contextmanager
def stand(report: Report, slots: int) -> Iterator[Stand]:
    """Bring the pool up; afterwards nothing of it is left."""
    distribution.ensure(Settings(), report)
    with home() as folder:
        settings = Settings(home=folder, pool="bench")
        pool = lifecycle.up(settings, report, Blueprint(nodes=nodes(slots), use_real_devices=False))
        try:
            work = pool.layout.folder / "notebook"
            work.mkdir()
            known = pool.environment()
            yield Stand(os.environ | known | {"HOME": str(work)}, work)
        finally:
            lifecycle.down(settings, graceful_seconds=0)
