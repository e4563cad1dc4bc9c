"""`mlinfn submit …`: requests from the command line, through the same templates as `condor_submit`."""

import json
from pathlib import Path
from typing import Any

import typer

from mlinfn_condor.cli import connection

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

CPUS = typer.Option(1, help="Cores; a device brings its share along.")
MEMORY = typer.Option(2048, "--memory-mb", help="Memory, MiB.")
DISK = typer.Option(100, "--disk-mb", help="Scratch space, MiB.")
GPUS = typer.Option(0, help="GPUs.")
FPGAS = typer.Option(0, help="FPGAs.")
MODEL = typer.Option(None, help="Device model, as `mlinfn status` lists them; any if not given.")
PROJECT = typer.Option(None, help="Project to account it on; your first if not given.")
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
    window: int | None = typer.Option(None, help="Seconds to save its state in; the pool's default if not given."),
    count: int = typer.Option(1, help="How many such jobs."),
    as_json: bool = JSON,
) -> None:
    """Submit batch training: it takes what is free, gives way to everybody, and goes on where it was."""
    from mlinfn_condor.submission.requests import TrainingRequest

    asked = _common(cpus, memory_mb, disk_mb, gpus, fpgas, model, project)
    _submit(TrainingRequest(**asked, command=command, folder=folder, window_seconds=window, count=count), as_json)


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


def _submit(request: Any, as_json: bool) -> None:
    from mlinfn_condor.submission.submit import submit

    job = submit(request, connection.connect().pool)
    _print({"job": str(job)}, f"{job}    `mlinfn why {job}` tells how it stands", as_json)


def _print(told: dict[str, str], words: str, as_json: bool) -> None:
    print(json.dumps(told) if as_json else words)
