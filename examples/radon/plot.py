"""`python plot.py --model FOLDER radon.svg`: how the model got better, run by run."""

import argparse
from pathlib import Path

import altair
import nature
import retrain


def draw(model: retrain.Model, path: Path) -> None:
    """The error after each run, and the noise that no model gets below, into an SVG file."""
    runs = [
        {"rows": int(rows), "error": float(error)} for rows, error in zip(model["rows"], model["errors"], strict=True)
    ]
    line = (
        altair.Chart({"values": runs})
        .mark_line(point=True)
        .encode(
            x=altair.X("rows:Q", title="rows learned from, each once"),
            y=altair.Y("error:Q", title="error of ln(Bq/m³) on rows not seen", scale=altair.Scale(zero=False)),
        )
    )
    floor = altair.Chart({"values": [{"noise": nature.NOISE}]}).mark_rule(strokeDash=[4, 4]).encode(y="noise:Q")
    title = altair.Title(
        "Simulated radon stations: a job for each 500 new rows",
        subtitle="Rows came in by token; dashed: the noise, below which no model gets",
        anchor="start",
    )
    (line + floor).properties(width=520, height=260, title=title).save(path)


def main() -> None:
    """Draw the model in a folder."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--model", type=Path, required=True)
    parser.add_argument("picture", type=Path)
    asked = parser.parse_args()
    draw(retrain.load(asked.model), asked.picture)


if __name__ == "__main__":
    main()
