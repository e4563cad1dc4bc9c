"""A simulation as a picture: who had how many devices when, and the shares beside what could be expected."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import UserError
from mlinfn_condor.simulation.playing import Simulation

WIDTH, HEIGHT = 680, 240
FREE = "nobody"


def refuse(path: Path) -> None:
    """Raises UserError for a file that is no picture, and where the library is missing: before minutes of work."""
    if path.suffix not in (".svg", ".png"):
        raise UserError(f"{path}: a picture is .svg or .png")
    try:
        import altair  # noqa: F401
        import vl_convert  # noqa: F401
    except ImportError as error:
        raise UserError("pictures need the package's extra `bench`: pip install 'mlinfn-condor[bench]'") from error


def draw(simulation: Simulation, path: Path) -> None:
    """Draw it. Raises UserError."""
    refuse(path)
    import altair

    outcome = simulation.outcome
    course = (
        altair.Chart({"values": list(_course(simulation))})
        .mark_area(interpolate="step")
        .encode(
            x=altair.X("at_h:Q", title="hours of the simulated time", scale=altair.Scale(domain=[0, outcome.span_h])),
            y=altair.Y("devices:Q", title="devices in use", stack="zero"),
            color=altair.Color("project:N", title="project"),
        )
    )
    shares = (
        altair.Chart({"values": list(_shares(simulation))})
        .mark_bar()
        .encode(
            x=altair.X("percent:Q", title="per cent of the device-hours while more was asked for than there is"),
            y=altair.Y("what:N", title=None, sort=["had", "could expect"]),
            color=altair.Color("project:N"),
            row=altair.Row("project:N", title=None),
        )
    )
    title = f"{simulation.workload.name}, {simulation.speed:g} times the real time, simulated devices"
    altair.vconcat(
        course.properties(width=WIDTH, height=HEIGHT), shares.properties(width=WIDTH - 60), title=title
    ).save(str(path))


def _course(simulation: Simulation) -> Iterator[Mapping[str, Any]]:
    for part in simulation.outcome.course:
        for one in simulation.outcome.projects:
            yield {"at_h": part["at_h"], "project": one.project, "devices": part.get(one.project, 0.0)}


def _shares(simulation: Simulation) -> Iterator[Mapping[str, Any]]:
    for one in simulation.outcome.projects:
        for what, percent in (("had", one.share_percent), ("could expect", one.expected_percent)):
            yield {"project": one.project, "what": what, "percent": percent or 0.0}
