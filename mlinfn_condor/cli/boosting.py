"""`mlinfn boost …`: more for a project, for a while."""

import json
from dataclasses import asdict
from datetime import datetime
from pathlib import Path

import typer

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.errors import UserError

LIST = "list"


def boost(
    project: str = typer.Argument(LIST, help="The project; `list` (the default) shows all boosts."),
    until: str | None = typer.Option(None, help="2026-11-27T18:00, or +8h, +90m, +3d."),
    floor: float | None = typer.Option(None, min=0, help="Devices up to which each member is served first."),
    factor: float | None = typer.Option(
        None, min=1, help="Priority factor of each member; 1000 is usual, less is better."
    ),
    ceiling: float | None = typer.Option(None, min=0, help="Devices beyond which each member gets nothing."),
    only: list[PriorityClass] = typer.Option([], "--class", help="Only in this class (may be repeated)."),
    cancel: bool = typer.Option(False, "--cancel", help="End the project's boosts now."),
    as_json: bool = typer.Option(False, "--json", help="For programs."),
) -> None:
    """Lend a project more of the pool until a time: a hackathon, a deadline. It ends by itself, whatever is restarted.

    Example: mlinfn --user admin boost alpha --until +8h --floor 2 --factor 100
    """
    from mlinfn_condor.cli.connection import environment
    from mlinfn_condor.contracts import boosts
    from mlinfn_condor.pool import configured
    from mlinfn_condor.pool.leases import LeaseKind, RealLeases

    leases = RealLeases(environment())
    if cancel:
        for submitter, kind in list(boosts.of_project(leases.in_force(), project)):
            leases.cancel(submitter, kind)
        print(f"{project} has no boost any more")
        return
    weight = float(configured("MLINFN_DEVICE_WEIGHT"))
    if project != LIST:
        wanted = {LeaseKind.FLOOR: floor, LeaseKind.FACTOR: factor, LeaseKind.CEILING: ceiling}
        given = {kind: value for kind, value in wanted.items() if value is not None}
        if until is None or not given:
            raise UserError("say --until, and one of --floor, --factor, --ceiling")
        seconds = boosts.seconds_until(until, datetime.now().astimezone())
        users = boosts.members(Path(configured("MLINFN_PROJECT_MAP")).read_text().splitlines(), project)
        for submitter in boosts.submitters(project, users, only or list(PriorityClass), configured("UID_DOMAIN")):
            for kind, value in given.items():
                leases.give(submitter, kind, value if kind is LeaseKind.FACTOR else value * weight, seconds)
    found = leases.in_force()
    if as_json:
        print(json.dumps([asdict(lease) for lease in found], indent=1))
        return
    for lease in found:
        unit = 1 if lease.kind is LeaseKind.FACTOR else weight
        what = f"{lease.kind.value} {lease.value / unit:g}{'' if unit == 1 else ' devices'}"
        print(f"{lease.submitter}  {what}  until {datetime.fromtimestamp(lease.ends).astimezone():%Y-%m-%d %H:%M:%S}")
    if not found:
        print("nobody has a boost")
