"""The distribution of start times as a picture: ours beside what stands beside it, every session one point."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import UserError

OURS = "mlinfn-condor"
WIDTH, HEIGHT_PER_SIDE = 620, 46


@dataclass(frozen=True)
class Drawing:
    """What a bench's picture shows."""

    title: str
    axis: str
    samples: tuple[str, ...]
    """Names of the cases' samples that are times to draw, seconds."""
    cases: tuple[str, ...]


DRAWINGS = {
    "start-latency": Drawing(
        "Start of a session on a full pool; a black bar is the median",
        "seconds from submit to first line",
        ("start_s",),
        ("single", "burst"),
    ),
    "spawn": Drawing(
        "From the click on Start to the session; a black bar is the median",
        "seconds from click to JupyterLab (crowd: to the first answer)",
        ("usable_s", "start_s"),
        ("free", "full", "crowd"),
    ),
}


def can_be_drawn(told: Mapping[str, Any]) -> bool:
    """Whether there is a time in it."""
    return told["bench"] in DRAWINGS and any(_points(told, DRAWINGS[told["bench"]]))


def draw(told: Mapping[str, Any], path: Path) -> None:
    """Draw a bench's object into an SVG or PNG file. Raises UserError."""
    drawing = DRAWINGS[told["bench"]]
    if path.suffix not in (".svg", ".png"):
        raise UserError(f"{path}: a picture is .svg or .png")
    rows = list(_points(told, drawing))
    if not rows:
        raise UserError(f"there is nothing to draw: the cases {', '.join(drawing.cases)} have start times")
    try:
        import altair
    except ImportError as error:
        raise UserError("pictures need the package's extra `bench`: pip install 'mlinfn-condor[bench]'") from error
    sides = sorted({row["side"] for row in rows}, key=lambda side: side != OURS)
    base = altair.Chart({"values": rows}).encode(
        x=altair.X(
            "seconds:Q",
            scale=altair.Scale(type="log", domain=[0.05, 400], nice=False),
            title=drawing.axis,
        ),
        y=altair.Y("side:N", title=None, sort=[OURS], axis=altair.Axis(labelLimit=400)),
        color=altair.Color("side:N", legend=None, scale=altair.Scale(domain=sides, range=["#1b6ca8", "#c05a2b"])),
    )
    points = base.mark_circle(size=55, opacity=0.45)
    medians = base.mark_tick(thickness=3, size=26, color="black").encode(
        x=altair.X("median(seconds):Q"), color=altair.value("black")
    )
    chart = (
        altair.layer(points, medians)
        .properties(width=WIDTH, height=altair.Step(HEIGHT_PER_SIDE))
        .facet(row=altair.Row("case:N", title=None, sort=list(drawing.cases), header=altair.Header(labelFontSize=13)))
        .properties(title=drawing.title)
    )
    chart.save(str(path))


def _points(told: Mapping[str, Any], drawing: Drawing) -> Iterator[dict[str, Any]]:
    for case in told["cases"]:
        for side, measured in ((OURS, case), (case.get("beside", {}).get("name"), case.get("beside", {}))):
            for sample in drawing.samples:
                for seconds in measured.get("samples", {}).get(sample, []):
                    yield {"case": case["case"], "side": side, "seconds": seconds}
