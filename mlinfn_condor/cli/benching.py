"""`mlinfn bench …`: measure, beside what HTCondor does by default."""

import json
from pathlib import Path
from typing import Any

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def benches() -> None:
    """Benches bring up a pool of their own, and want the machine for themselves."""


@app.command("start-latency")
def start_latency(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): single, burst, full-window, handovers."),
    quick: bool = typer.Option(False, "--quick", help="A look of a few minutes instead of about 40."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on standard output instead of a table."),
    picture: Path | None = typer.Option(None, help="Draw the start times into this .svg or .png file."),
) -> None:
    """How soon a session starts when every GPU is busy and 2,000 batch jobs wait; 1,000 hand-overs without a fault."""
    from mlinfn_condor.bench import start_latency as bench
    from mlinfn_condor.cli.progress import RichReport

    _picture_can_be(picture)
    told = bench.run(RichReport(), case or bench.CASES, quick=quick)
    _tell(told, as_json, picture)


@app.command("spawn")
def spawn(
    case: list[str] = typer.Option([], help="Only this case (may be repeated): free, full, polling, crowd."),
    quick: bool = typer.Option(False, "--quick", help="A look of a few minutes instead of about 25."),
    as_json: bool = typer.Option(False, "--json", help="One JSON object on standard output instead of a table."),
    picture: Path | None = typer.Option(None, help="Draw the times from click to session into this .svg or .png file."),
) -> None:
    """How soon a click on Start is a JupyterLab in the browser; what 200 sessions cost the hub; 40 clicks at once."""
    from mlinfn_condor.bench import spawn as bench
    from mlinfn_condor.cli.progress import RichReport

    _picture_can_be(picture)
    told = bench.run(RichReport(), case or bench.CASES, quick=quick)
    _tell(told, as_json, picture)


def _picture_can_be(picture: Path | None) -> None:
    """Before half an hour of measuring, and not after it."""
    if picture and picture.suffix not in (".svg", ".png"):
        raise UserError(f"{picture}: a picture is .svg or .png")
    if picture and not picture.absolute().parent.is_dir():
        raise UserError(f"{picture.absolute().parent} is no folder: make it, or name another for the picture")


def _tell(told: dict[str, Any], as_json: bool, picture: Path | None) -> None:
    from rich.console import Console

    from mlinfn_condor.bench.picture import draw
    from mlinfn_condor.bench.table import table

    if as_json:
        print(json.dumps(told, indent=1))
    else:
        Console().print(table(told))
    if picture:
        draw(told, picture)
