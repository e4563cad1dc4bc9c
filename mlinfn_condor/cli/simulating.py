"""`mlinfn policy …`: what a policy would do, before it is made."""

import json
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.cli.files import refuse_unwritable

if TYPE_CHECKING:
    from rich.table import Table

    from mlinfn_condor.simulation.playing import Simulation

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def policy() -> None:
    """Try a policy before making it."""


@app.command()
def simulate(
    workload: str = typer.Argument(help="A CSV file of submits, or week, hackathon, owner; docs/sharing.md."),
    contracts: Path | None = typer.Option(None, help="What is promised to whom; default: the .toml beside the CSV."),
    speed: float | None = typer.Option(
        None,
        min=1,
        max=10_000,
        help="Simulated seconds a second; default: nine tenths of the work are of jobs of 20 s or more.",
    ),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
    picture: Path | None = typer.Option(None, help="Draw who had what when into this .svg or .png file."),
) -> None:
    """Play a workload on a real private pool with simulated devices and scaled time; some minutes.

    Example: mlinfn policy simulate owner --picture owner.svg
    """
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.simulation.picture import draw, refuse
    from mlinfn_condor.simulation.playing import play
    from mlinfn_condor.simulation.shipped import load
    from mlinfn_condor.simulation.telling import as_json as told

    if picture:
        refuse(picture)
        refuse_unwritable(picture)
    jobs, promised = load(workload, contracts)
    simulation = play(jobs, promised, speed, RichReport())
    if as_json:
        print(json.dumps(told(simulation), indent=1))
    else:
        _show(simulation)
    if picture:
        draw(simulation, picture)


def _show(simulation: "Simulation") -> None:
    from rich.console import Console

    console, outcome = Console(), simulation.outcome
    console.print(_projects(simulation), _classes(simulation))
    kept = "" if outcome.kept_percent is None else f" ({outcome.kept_percent:.1f} %)"
    print(
        f"{outcome.claimed_h:.1f} device-hours claimed, {outcome.kept_h:.1f} of them work that was kept{kept}; "
        f"{outcome.evictions} evictions lost {outcome.lost_h:.2f}"
    )
    print(f"played in {simulation.wall_s:.0f} s; submits came up to {simulation.late_s:.2f} s late")
    for line in simulation.remarks:
        print(f"! {line}")
    for line in simulation.limits:
        print(f"- {line}")


def _projects(simulation: "Simulation") -> "Table":
    from rich import box
    from rich.table import Table

    outcome = simulation.outcome
    table = Table(
        title=f"{simulation.workload.name}: {outcome.span_h:.1f} h at {simulation.speed:g} times the real time",
        caption="hours: of devices, claimed, and those with work that was kept; share and expected: of the "
        f"{outcome.contended_h:.1f} h in which more was asked for than there is; overall: of all hours, beside what "
        "HTCondor charged",
        box=box.SIMPLE_HEAD,
    )
    for column in ("project", "pledged", "hours", "kept", "share", "expected", "overall", "userprio"):
        table.add_column(column, justify="left" if column == "project" else "right")
    for one in outcome.projects:
        table.add_row(
            one.project,
            str(one.pledged_devices or ""),
            f"{one.device_h:.1f}",
            f"{one.kept_h:.1f}",
            *(_percent(value) for value in (one.share_percent, one.expected_percent)),
            *(_percent(value) for value in (one.device_percent, one.userprio_percent)),
        )
    return table


def _classes(simulation: "Simulation") -> "Table":
    from rich import box
    from rich.table import Table

    from mlinfn_condor.simulation.spans import told

    table = Table(
        caption="waits until the first start, of the simulated time; lost: device-hours of evicted attempts",
        box=box.SIMPLE_HEAD,
    )
    for column in ("class", "jobs", "ran", "ended", "median", "95 %", "worst", "waits on", "evicted", "lost h"):
        table.add_column(column, justify="left" if column == "class" else "right")
    for one in simulation.outcome.classes:
        waits = (one.median_wait_s, one.p95_wait_s, one.worst_wait_s, one.waits_still_s)
        table.add_row(
            one.priority_class,
            *(str(count) for count in (one.jobs, one.started, one.completed)),
            *("" if wait is None else told(wait) for wait in waits),
            str(one.evictions),
            f"{one.lost_h:.2f}",
        )
    return table


def _percent(value: float | None) -> str:
    return "" if value is None else f"{value:.1f} %"
