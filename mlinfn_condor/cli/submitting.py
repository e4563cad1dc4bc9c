"""`mlinfn submit …`: requests from the command line, through the same templates as `condor_submit`."""

import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from mlinfn_condor.cli import connection
from mlinfn_condor.cli.files import read
from mlinfn_condor.cli.watching import follow

if TYPE_CHECKING:
    from mlinfn_condor.pool import JobId, Pool
    from mlinfn_condor.submission.requests import Request

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

CPUS = typer.Option(1, help="Cores; a device brings its share along.")
MEMORY = typer.Option(2048, "--memory-mb", help="Memory, MiB.")
DISK = typer.Option(100, "--disk-mb", help="Scratch space, MiB.")
GPUS = typer.Option(0, help="GPUs.")
FPGAS = typer.Option(0, help="FPGAs.")
MODEL = typer.Option(None, help="Device model, as `mlinfn status` lists them; any if not given.")
WINDOW = typer.Option(None, help="Seconds to save its state in; the pool's default if not given.")
IMAGE = typer.Option(None, help="Container to run in: a path that the nodes see, docker://…, or a .sif file.")
PROJECT = typer.Option(None, help="Project to account it on; your first if not given.")
WATCH = typer.Option(False, "--watch", help="Show live how it gets on, and end with its exit code; Ctrl-C lets it be.")
JSON = typer.Option(False, "--json", help="For programs.")


@app.command(
    context_settings={"allow_interspersed_args": False},
    epilog="Example: mlinfn submit training --gpus 1 --model A100 --cpus 4 python train.py --epochs 20",
)
def training(
    command: list[str] = typer.Argument(help="What to run; its own options may follow."),
    cpus: int = CPUS,
    memory_mb: int = MEMORY,
    disk_mb: int = DISK,
    gpus: int = GPUS,
    fpgas: int = FPGAS,
    model: str | None = MODEL,
    project: str | None = PROJECT,
    folder: Path = typer.Option(Path(), help="Where it runs and writes; the nodes must see it."),
    window: int | None = WINDOW,
    image: str | None = IMAGE,
    count: int = typer.Option(1, help="How many such jobs."),
    watch: bool = WATCH,
    as_json: bool = JSON,
) -> None:
    """Submit batch training: it takes what is free, gives way to everybody, and goes on where it was."""
    from mlinfn_condor.submission.requests import TrainingRequest

    asked = _common(cpus, memory_mb, disk_mb, gpus, fpgas, model, project)
    own: dict[str, Any] = {
        "command": command,
        "folder": folder,
        "window_seconds": window,
        "image": image,
        "count": count,
    }
    _submit(TrainingRequest(**asked, **own), as_json, watched=count if watch else 0)


@app.command(
    epilog="Example: mlinfn submit sweep runs.csv --gpus 1 -- python train.py --rate {rate} --folder run-{row}"
)
def sweep(
    table: Path = typer.Argument(help="CSV file; its first line names the columns, each further one is a job."),
    command: list[str] = typer.Argument(help="After `--`, what to run; {column} is the row's value, {row} its number."),
    cpus: int = CPUS,
    memory_mb: int = MEMORY,
    disk_mb: int = DISK,
    gpus: int = GPUS,
    fpgas: int = FPGAS,
    model: str | None = MODEL,
    project: str | None = PROJECT,
    folder: Path = typer.Option(Path(), help="Where they run and write; the nodes must see it."),
    window: int | None = WINDOW,
    image: str | None = IMAGE,
    called: str = typer.Option("sweep", help="What condor_q calls the jobs together."),
    watch: bool = WATCH,
    as_json: bool = JSON,
) -> None:
    """Submit a training once for each row of a table of parameters; all of them, or none when one is refused."""
    from mlinfn_condor.pool import configured
    from mlinfn_condor.submission.submit import submit_in_parts
    from mlinfn_condor.submission.sweeping import SweepRequest, commands

    asked = _common(cpus, memory_mb, disk_mb, gpus, fpgas, model, project)
    with read(table) as lines:
        words = commands(lines, command)
    own: dict[str, Any] = {
        "commands": words,
        "folder": folder,
        "window_seconds": window,
        "image": image,
        "called": called,
    }
    request = SweepRequest(**asked, **own)
    pool = connection.connect().pool
    parts = submit_in_parts(request, pool, int(configured("MAX_JOBS_PER_SUBMISSION")))
    told = {"job": str(parts[0][0]), "jobs": len(words), "submits": [str(first) for first, _ in parts]}
    _print(told, _rows(parts), as_json)
    _say_if_nothing_fits(request, pool)
    if watch:
        follow(pool, [first for first, _ in parts], len(words))


@app.command(
    "dask-worker", epilog="Example: mlinfn submit dask-worker --scheduler tcp://node:8786 --workers 4 --cpus 2"
)
def dask_worker(
    scheduler: str = typer.Option(help="Address of the scheduler, as client.scheduler.address says it."),
    workers: int = typer.Option(1, help="How many."),
    cpus: int = CPUS,
    memory_mb: int = MEMORY,
    disk_mb: int = DISK,
    gpus: int = GPUS,
    fpgas: int = FPGAS,
    model: str | None = MODEL,
    project: str | None = PROJECT,
    folder: Path = typer.Option(Path(), help="Where its logs go."),
    as_json: bool = JSON,
) -> None:
    """Submit workers for a Dask scheduler that runs already; in a notebook HTCondorCluster does this by itself."""
    from mlinfn_condor.submission.requests import DaskWorkerRequest

    asked = _common(cpus, memory_mb, disk_mb, gpus, fpgas, model, project)
    _submit(DaskWorkerRequest(**asked, scheduler=scheduler, workers=workers, folder=folder), as_json)


@app.command(epilog="Example: mlinfn submit session --gpus 1 --model A100 --cpus 4 --memory-mb 16000")
def session(
    name: str = typer.Option("lab", help="A name of yours for it: small letters, digits, hyphens."),
    cpus: int = CPUS,
    memory_mb: int = MEMORY,
    disk_mb: int = DISK,
    gpus: int = GPUS,
    fpgas: int = FPGAS,
    model: str | None = MODEL,
    project: str | None = PROJECT,
    wait: bool = typer.Option(True, help="Wait until JupyterLab answers, and print its address."),
    patience: float = typer.Option(120, help="Seconds to wait for it."),
    as_json: bool = JSON,
) -> None:
    """Start JupyterLab, within seconds however full the pool is; prints its address with the token that opens it."""
    from mlinfn_condor.cli.sessions import start
    from mlinfn_condor.submission.requests import SessionRequest

    asked = _common(cpus, memory_mb, disk_mb, gpus, fpgas, model, project)
    connected = connection.connect()
    started = start(connected, name, lambda folder: SessionRequest(**asked, folder=folder, root=connected.home))
    told = {"job": str(started.job), "folder": str(started.folder.path)}
    _say_if_nothing_fits(started.request, connected.pool)
    if not wait:
        _print(told, f"{started.job}    `mlinfn why {started.job}` tells how it stands", as_json)
        return
    url = started.wait(patience)
    _print(told | {"url": url}, f"{started.job} answers at {url}", as_json)


def _common(
    cpus: int, memory_mb: int, disk_mb: int, gpus: int, fpgas: int, model: str | None, project: str | None
) -> dict[str, Any]:
    from mlinfn_condor.errors import BadRequest

    if gpus and fpgas:
        raise BadRequest("gpus and fpgas: a job has devices of one kind; submit one job for each")
    if model and not (gpus or fpgas):
        raise BadRequest(f"model is {model}: say with --gpus or --fpgas how many")
    devices = {"count": fpgas or gpus, "kind": "fpga" if fpgas else "gpu", "model": model}
    return {"cpus": cpus, "memory_mb": memory_mb, "disk_mb": disk_mb, "devices": devices, "project": project}


def _submit(request: "Request", as_json: bool, watched: int = 0) -> None:
    """`watched`: how many jobs it is to be watched for; 0: none."""
    from mlinfn_condor.submission.submit import submit

    pool = connection.connect().pool
    job = submit(request, pool)
    _print({"job": str(job)}, f"{job}    `mlinfn why {job}` tells how it stands", as_json)
    _say_if_nothing_fits(request, pool)
    if watched:
        follow(pool, [job], watched)


def _say_if_nothing_fits(request: "Request", pool: "Pool") -> None:
    """A slip in a model's name would otherwise wait for ever without a word; a node that has it may come, though."""
    from mlinfn_condor.errors import PoolUnavailable
    from mlinfn_condor.submission.asks import Ask, never

    try:
        reason = never(Ask.of_request(request), pool.slots("PartitionableSlot is true"))
    except PoolUnavailable:
        return  # it is in the queue: that is what was asked for
    if reason:
        print(f"No node can run it as it is: it {reason}. It waits until one comes that can.", file=sys.stderr)


def _rows(parts: list[tuple["JobId", int]]) -> str:
    """Which row of a sweep is which job."""
    words, row = [], 1
    for first, count in parts:
        words.append(f"{first} to .{count - 1}    rows {row} to {row + count - 1}")
        row += count
    return "\n".join(words)


def _print(told: dict[str, Any], words: str, as_json: bool) -> None:
    print(json.dumps(told) if as_json else words)
