"""`mlinfn bench …`: measure, beside what HTCondor does by default."""

import json
from pathlib import Path
from types import ModuleType
from typing import Any

import typer

from mlinfn_condor.cli.files import refuse_unwritable, write_whole
from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
JSON = typer.Option(False, "--json", help="One JSON object on standard output instead of a table.")
OUTPUT = typer.Option(None, help="Write the JSON object into this .json file, and its picture beside it (.svg).")


@app.callback()
def benches() -> None:
    """Benches bring up a pool of their own, and want the machine for themselves."""


@app.command("start-latency", epilog="Example: mlinfn bench start-latency --quick --case single")
def start_latency(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): single, burst, full-window, handovers."),
    quick: bool = typer.Option(False, "--quick", help="A look of a few minutes instead of about 40."),
    as_json: bool = JSON,
    picture: Path | None = typer.Option(None, help="Draw the start times into this .svg or .png file."),
    output: Path | None = OUTPUT,
) -> None:
    """How soon a session starts when every GPU is busy and 2,000 batch jobs wait; 1,000 hand-overs without a fault."""
    from mlinfn_condor.bench import start_latency as bench

    _measure(bench, case, quick, as_json, output, picture)


@app.command("spawn", epilog="Example: mlinfn bench spawn --quick")
def spawn(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): free, full, polling, crowd."),
    quick: bool = typer.Option(False, "--quick", help="A look of a few minutes instead of about 40."),
    as_json: bool = JSON,
    picture: Path | None = typer.Option(None, help="Draw the times from click to session into this .svg or .png file."),
    output: Path | None = OUTPUT,
) -> None:
    """How soon a click on Start is a JupyterLab in the browser; what 200 sessions cost the hub; 40 clicks at once."""
    from mlinfn_condor.bench import spawn as bench

    _measure(bench, case, quick, as_json, output, picture)


@app.command("metering", epilog="Example: mlinfn bench metering --quick")
def metering(
    case: list[str] = typer.Option([], help="Only this case: monitor."),
    quick: bool = typer.Option(False, "--quick", help="A look of 30 s instead of two minutes."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """What the monitor of a node's devices costs, beside HTCondor's own."""
    from mlinfn_condor.bench import metering as bench

    _measure(bench, case, quick, as_json, output)


@app.command("ingest", epilog="Example: mlinfn bench ingest --quick")
def ingest(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): empty, again, adstash."),
    quick: bool = typer.Option(False, "--quick", help="20,000 attempts instead of a million."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How fast a history is in the database, beside condor_history printing it and condor_adstash writing JSON."""
    from mlinfn_condor.bench import ingest as bench

    _measure(bench, case, quick, as_json, output)


@app.command("reports", epilog="Example: mlinfn bench reports --quick")
def reports(
    case: list[str] = typer.Option([], help="Only this report, or `scrape` (may be repeated)."),
    quick: bool = typer.Option(False, "--quick", help="100,000 attempts instead of ten million."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How long reports and a scrape take over a year of ten million attempts and 16.8 million samples."""
    from mlinfn_condor.bench import reports as bench

    _measure(bench, case, quick, as_json, output)


@app.command("plan", epilog="Example: mlinfn bench plan --quick")
def plan(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): largest, week."),
    quick: bool = typer.Option(False, "--quick", help="Fewer repeats, and a day instead of a week."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How long a plan takes for 100,000 idle jobs, and what a simulated week leaves idle, beside the PRP rule."""
    from mlinfn_condor.bench import plan as bench

    _measure(bench, case, quick, as_json, output)


@app.command("glidein", epilog="Example: mlinfn bench glidein --quick")
def glidein(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): cold, leave, calls."),
    quick: bool = typer.Option(False, "--quick", help="3 nodes instead of 20."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How soon a node comes when a job needs one, and how soon it is gone when nobody does."""
    from mlinfn_condor.bench import glidein as bench

    _measure(bench, case, quick, as_json, output)


@app.command("sweep", epilog="Example: mlinfn bench sweep --quick")
def sweep(
    case: list[str] = typer.Option([], help="Only this case: submit."),
    quick: bool = typer.Option(False, "--quick", help="1,000 jobs instead of 10,000, and fewer repeats."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How long a table of 10,000 rows takes to be jobs in the queue, beside condor_submit."""
    from mlinfn_condor.bench import sweep as bench

    _measure(bench, case, quick, as_json, output)


@app.command("dask", epilog="Example: mlinfn bench dask --quick")
def dask(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): join200, evictions."),
    quick: bool = typer.Option(False, "--quick", help="20 workers join and 6 compute, instead of 200 and 20."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How soon 200 Dask workers have joined, and what evictions cost a computation, beside plain HTCondorCluster."""
    from mlinfn_condor.bench import dask as bench

    _measure(bench, case, quick, as_json, output)


@app.command("sharing", epilog="Example: mlinfn bench sharing --quick --case owner")
def sharing(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): owner, pledges, surplus, week."),
    quick: bool = typer.Option(False, "--quick", help="8 jobs of the owner instead of 100, a day instead of a week."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How soon an owner is on his own devices, full of guests; shares under contention; what of a week was kept."""
    from mlinfn_condor.bench import sharing as bench

    _measure(bench, case, quick, as_json, output)


@app.command("backup", epilog="Example: mlinfn bench backup --quick")
def backup(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): homes, larger."),
    quick: bool = typer.Option(False, "--quick", help="100 homes instead of 2,000."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How long a backup of 2,000 homes takes, the next one, and to bring one home back."""
    from mlinfn_condor.bench import backup as bench

    _measure(bench, case, quick, as_json, output)


@app.command("ingestion", epilog="Example: mlinfn bench ingestion --quick")
def ingestion(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): bulk, hostile, trigger."),
    quick: bool = typer.Option(False, "--quick", help="40,000 rows instead of 400,000, and 3 triggers instead of 20."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """How fast instruments' rows are in the database, what 500 hostile requests do, how soon new rows start a job."""
    from mlinfn_condor.bench import ingestion as bench

    _measure(bench, case, quick, as_json, output)


@app.command("web", epilog="Example: mlinfn bench web --quick")
def web(
    case: list[str] = typer.Option([], help="Only this case: viewers."),
    quick: bool = typer.Option(False, "--quick", help="20 viewers of 50 nodes for seconds, instead of 200 of 500."),
    as_json: bool = JSON,
    output: Path | None = OUTPUT,
) -> None:
    """What 200 viewers of a pool of 500 nodes and 20,000 jobs cost, and how soon the page is there."""
    from mlinfn_condor.bench import web as bench

    _measure(bench, case, quick, as_json, output)


def _measure(
    bench: ModuleType, case: list[str], quick: bool, as_json: bool, output: Path | None, picture: Path | None = None
) -> None:
    """What all benches have in common: a `run` and its `CASES`."""
    from mlinfn_condor.cli.progress import RichReport

    _can_be(picture, output)
    told = bench.run(RichReport(), case or bench.CASES, quick=quick)
    _tell(told, as_json, picture, output)


def _can_be(picture: Path | None, output: Path | None) -> None:
    """Before half an hour of measuring, and not after it."""
    for path, kinds in ((picture, (".svg", ".png")), (output, (".json",))):
        if path and path.suffix not in kinds:
            raise UserError(f"{path}: it is a {' or '.join(kinds)} file")
        if path:
            refuse_unwritable(path)


def _tell(told: dict[str, Any], as_json: bool, picture: Path | None, output: Path | None) -> None:
    from rich.console import Console

    from mlinfn_condor.bench.picture import can_be_drawn, draw
    from mlinfn_condor.bench.table import table

    if as_json:
        print(json.dumps(told, indent=1))
    else:
        Console().print(table(told))
    if output:  # first what cannot be made again
        write_whole(output, f"{json.dumps(told, indent=1)}\n")
        if can_be_drawn(told):
            draw(told, output.with_suffix(".svg"))
    if picture:
        draw(told, picture)
