"""The distribution of start times as a picture: ours beside HTCondor's defaults, every session one point."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import UserError

OURS = "mlinfn-condor"
WIDTH, HEIGHT_PER_SIDE = 620, 46
SAMPLES = "start_s"


def draw(told: Mapping[str, Any], path: Path) -> None:
    """Draw a bench's object into an SVG or PNG file. Raises UserError."""
    if path.suffix not in (".svg", ".png"):
        raise UserError(f"{path}: a picture is .svg or .png")
    rows = list(_points(told))
    if not rows:
        raise UserError("there is nothing to draw: the cases single and burst have start times")
    try:
        import altair
    except ImportError as error:
        raise UserError("pictures need the package's extra `bench`: pip install 'mlinfn-condor[bench]'") from error
    sides = sorted({row["side"] for row in rows}, key=lambda side: side != OURS)
    base = altair.Chart({"values": rows}).encode(
        x=altair.X(
            "seconds:Q",
            scale=altair.Scale(type="log", domain=[0.05, 400], nice=False),
            title="seconds from submit to first line",
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
        .facet(row=altair.Row("case:N", title=None, sort=["single", "burst"], header=altair.Header(labelFontSize=13)))
        .properties(title="Start of a session on a full pool; a black bar is the median")
    )
    chart.save(str(path))


def _points(told: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    for case in told["cases"]:
        for side, measured in ((OURS, case), (case.get("beside", {}).get("name"), case.get("beside", {}))):
            for seconds in measured.get("samples", {}).get(SAMPLES, []):
                yield {"case": case["case"], "side": side, "seconds": seconds}
