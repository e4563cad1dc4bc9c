"""`mlinfn demo`: the main job from beginning to end."""

import json
import sys

import typer

PIPED_WIDTH = 120
"""Columns when nobody looks: wide enough that no cell breaks over lines."""


def demo(
    down: bool = typer.Option(False, "--down", help="Take the pool down at the end; it stays up otherwise."),
    as_json: bool = typer.Option(False, "--json", help="The outcome as one JSON object; the story goes to stderr."),
) -> None:
    """Show it all on a real pool of this machine: training on every GPU, and a session that starts at once."""
    from rich.console import Console

    from mlinfn_condor.cli.progress import RichReport

    # Here: it draws in Jupyter, Dask and scikit-learn, which `mlinfn --help` need not wait for.
    from mlinfn_condor.demo import story
    from mlinfn_condor.settings import Settings

    looked_at = (sys.stderr if as_json else sys.stdout).isatty()
    console = Console(stderr=as_json, width=None if looked_at else PIPED_WIDTH)
    outcome = story.run(Settings(), RichReport(), console, down=down)
    if as_json:
        print(json.dumps(outcome.as_json()))
