"""The table and the picture show what the object tells."""

import io
from pathlib import Path

import pytest
from rich.console import Console

from mlinfn_condor.bench.picture import can_be_drawn, draw
from mlinfn_condor.bench.start_latency import run
from mlinfn_condor.bench.table import table
from mlinfn_condor.embedded.report import SilentReport
from mlinfn_condor.errors import UserError

TOLD = {
    "bench": "start-latency",
    "quick": True,
    "began": "2026-11-23T22:00:00+00:00",
    "machine": {"cpus": 2},
    "versions": {"HTCondor": "25.14.1"},
    "cases": [
        {
            "case": "single",
            "figures": {"median_s": 0.12, "p95_s": 2.5, "n": 3},
            "samples": {"start_s": [0.1, 0.12, 2.5]},
            "target": {"median_s": ["<=", 0.4], "p95_s": ["<=", 2]},
            "holds": False,
            "beside": {"name": "the default", "figures": {"median_s": 240.0}, "samples": {"start_s": [240.0]}},
        }
    ],
}


def test_the_table_says_what_holds_what_was_missed_and_that_it_was_a_quick_look() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    console.print(table(TOLD))
    text = console.export_text()
    lines = text.splitlines()
    assert "quick look" in text
    assert "25.14.1" in text
    (median,) = (line for line in lines if "median_s" in line)
    (p95,) = (line for line in lines if "p95_s" in line)
    assert "holds" in median
    assert "240" in median
    assert "missed" in p95


def test_the_picture_has_both_sides(tmp_path: Path) -> None:
    pytest.importorskip("altair")
    draw(TOLD, tmp_path / "starts.svg")
    drawn = (tmp_path / "starts.svg").read_text()
    assert "mlinfn-condor" in drawn
    assert "the default" in drawn


@pytest.mark.parametrize("name", ["starts.pdf", "starts"])
def test_a_picture_of_another_kind_is_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(UserError, match="svg"):
        draw(TOLD, tmp_path / name)


def test_without_start_times_there_is_nothing_to_draw(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="nothing to draw"):
        draw({**TOLD, "cases": []}, tmp_path / "starts.svg")


def test_a_case_that_there_is_not_is_refused_before_anything_starts() -> None:
    with pytest.raises(UserError, match="no case triple: one of single, burst"):
        run(SilentReport(), ["single", "triple"])


def test_a_case_without_figures_is_shown_as_missed_and_why() -> None:
    console = Console(width=120, record=True, file=io.StringIO())
    failed = {"case": "polling", "figures": {}, "samples": {}, "target": {}, "holds": False, "failures": ["[no] pool"]}
    console.print(table({**TOLD, "cases": [failed]}))
    text = console.export_text()
    assert "missed" in text
    assert "polling: [no] pool" in text


def test_times_can_be_drawn_and_nothing_else() -> None:
    assert can_be_drawn(TOLD)
    assert not can_be_drawn({**TOLD, "cases": []})
