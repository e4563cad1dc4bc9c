"""`mlinfn status`, `mlinfn why`, `mlinfn logs`: looking at a pool."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.cli import connection

if TYPE_CHECKING:
    from mlinfn_condor.pool import Job
    from mlinfn_condor.submission.why import Nodes

JSON = typer.Option(False, "--json", help="For programs.")
LOG_FILES = {"output": "Out", "errors": "Err", "events": "UserLog"}


def status(as_json: bool = JSON) -> None:
    """Show the classes, the devices, and who runs what."""
    from dataclasses import asdict

    from mlinfn_condor.submission.snapshot import Snapshot
    from mlinfn_condor.submission.status import status as read

    snapshot = Snapshot.take(connection.connect().pool)
    found = read(snapshot)
    if as_json:
        print(json.dumps(asdict(found)))
        return
    from mlinfn_condor.cli.tables import show

    show(found, snapshot.now)


def why(
    job: str = typer.Argument(help="batch@12.0, interactive@3.0; 12.0 means batch@12.0."),
    as_json: bool = JSON,
) -> None:
    """Say why a job does not run: what it asks, who holds that, and when at the latest it may start."""
    from dataclasses import asdict

    from mlinfn_condor.pool import JobId
    from mlinfn_condor.submission.snapshot import Snapshot
    from mlinfn_condor.submission.why import why as explain

    wanted = JobId.parse(job)
    snapshot = Snapshot.take(connection.connect().pool, also=wanted)
    found = snapshot.job(wanted)
    answer = explain(snapshot, wanted, _nodes_for(found), _last_words_of(found))
    if as_json:
        print(json.dumps(asdict(answer) | {"job": str(answer.job)}))
        return
    print(answer.headline)
    for line in answer.lines:
        print(f"  {line}")


def _nodes_for(job: "Job | None") -> "Nodes | None":
    """What the provisioner of this machine's pool says of an idle job; None: it has none, or nothing to say."""
    from mlinfn_condor.pool import JobState
    from mlinfn_condor.provisioning import site

    if job is None or job.state is not JobState.IDLE or (found := site.beside_this_pool()) is None:
        return None
    return found.says_of(job)


def _last_words_of(job: "Job | None") -> str:
    """What a job that failed wrote last to its errors, if that is a file that whoever asks may read."""
    from mlinfn_condor.pool import JobState, find_job
    from mlinfn_condor.pool.ads import text

    if job is None or job.state is not JobState.COMPLETED or text(job.ad, "ExitCode") in ("", "0"):
        return ""
    found = find_job(connection.connect().pool, job.id, ["Iwd", "Err"])
    try:
        lines = [line for line in _tail(Path(text(found.ad, "Iwd")) / text(found.ad, "Err")) if line.strip()]
    except OSError:
        return ""
    return " ".join(lines[-1].split()) if lines else ""


def logs(
    job: str = typer.Argument(help="batch@12.0, interactive@3.0; 12.0 means batch@12.0."),
    lines: int = typer.Option(20, "-n", "--lines", help="Last lines of each file."),
) -> None:
    """Print the end of a job's output, errors and event log, as far as it has written them."""
    from mlinfn_condor.pool import JobId, find_job
    from mlinfn_condor.pool.ads import text

    found = find_job(connection.connect().pool, JobId.parse(job), [*LOG_FILES.values()])
    for name, attribute in LOG_FILES.items():
        path = Path(text(found.ad, "Iwd")) / text(found.ad, attribute)
        if path.is_file():
            print(f"--- {name}: {path}")
            print("\n".join(_tail(path, lines)))


def _tail(path: Path, lines: int = 20) -> Iterator[str]:
    from collections import deque

    with path.open(errors="replace") as file:
        yield from (line.rstrip("\n") for line in deque(file, maxlen=lines))
