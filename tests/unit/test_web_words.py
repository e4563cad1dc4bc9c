"""Pure parts of the window: sizes, hand-overs, the board, busy."""

from datetime import UTC, datetime

from mlinfn_condor.accounting.reports import Column, Table
from mlinfn_condor.web.board import Board
from mlinfn_condor.web.busy import Meter
from mlinfn_condor.web.handovers import happened
from mlinfn_condor.web.picture import Node, Picture, Tile
from mlinfn_condor.web.plots import plot
from mlinfn_condor.web.sizes import Run, advice


def run(cpus_asked=16.0, cpus_used=3.0, memory_asked_mb=32_000, memory_peak_mb=31_000) -> Run:
    moment = datetime(2026, 3, 1, tzinfo=UTC)
    return Run(
        "batch@1.0", "batch", moment, "completed", cpus_asked, cpus_used, memory_asked_mb, memory_peak_mb, 1, 0.5
    )


def test_who_asks_too_much_is_told_what_is_enough():
    cpus, memory = advice([run()] * 10)
    assert cpus == (
        "You asked for 16 CPUs; your last ten runs used 3.0 on average; 3 would have been enough for each of them."
    )
    assert memory == "You asked for 32000 MB of memory; your last ten runs took 31000 MB at most."


def test_who_asks_what_he_needs_is_told_no_more():
    assert advice([run(cpus_asked=4.0)]) == [
        "You asked for 4 CPUs; your last run used 3.0 on average.",
        "You asked for 32000 MB of memory; your last run took 31000 MB at most.",
    ]


def test_what_was_not_measured_is_not_told():
    assert advice([run(cpus_used=None, memory_peak_mb=None)]) == []
    assert advice([]) == []


def picture(**tile) -> Picture:
    return Picture(1.0, (Node("n1", (Tile("g0", "A100", False, **tile),), 8, 8, 0),), ())


BOBS = {"use": "batch", "user": "bob", "job": "batch@1.0"}
GOING = {"use": "handing over", "user": "dora", "job": "interactive@1.0", "leaving": "batch of bob"}


def sentences(before: dict, after: dict) -> list[str]:
    return [one.sentence for one in happened(picture(**before), picture(**after))]


def test_a_hand_over_is_told_when_it_begins_and_when_it_is_done():
    assert sentences(BOBS, GOING) == ["batch of bob saves its state and goes, dora comes"]
    assert sentences(GOING, GOING) == []
    assert sentences(GOING, {"use": "session", "user": "dora", "job": "interactive@1.0"}) == ["session of dora has it"]
    assert sentences(GOING, {"use": "free"}) == ["free: batch of bob has gone"]


def test_a_job_that_simply_starts_or_ends_is_no_hand_over():
    assert sentences({"use": "free"}, BOBS) == []
    assert sentences(BOBS, {"use": "free"}) == []
    assert list(happened(None, picture(**BOBS))) == []


def test_a_board_sends_each_piece_once():
    board = Board()
    assert board.update({"node-a": "<p>1</p>", "node-b": "<p>2</p>"}, "node-")
    seen = board.version
    assert not board.update({"node-a": "<p>1</p>", "node-b": "<p>2</p>"}, "node-")
    assert board.since(seen) == b""
    board.update({"node-a": "<p>3</p>"}, "node-")
    assert (
        board.since(seen) == f'event: pieces\nid: {board.mark}\ndata: <p>3</p><i data-gone="node-b"></i>\n\n'.encode()
    )
    assert board.version_of(board.mark) == board.version
    assert board.version_of("of another process-1") == -1


def test_a_monitor_that_began_anew_is_not_compared_with_before():
    meter = Meter()

    def busy(start: int, at: int, seconds: float, measured: float) -> int | None:
        told = {"Id": "g", "CounterStart": start, "At": at, "BusySeconds": seconds, "MeasuredSeconds": measured}
        return meter.busy("n", told)

    assert busy(1, 10, 5, 10) is None
    assert busy(1, 20, 10, 20) == 50
    assert busy(1, 20, 10, 20) == 50
    assert busy(2, 30, 0, 10) is None
    assert busy(2, 40, 0, 10) is None
    assert busy(2, 50, 10, 20) == 100


def test_a_plot_needs_no_style_and_takes_the_pages_colour():
    columns = (Column("who", ""), Column("busy_h", ""), Column("idle_h", ""))
    drawn = plot(Table("t", 'A "title"', columns, (("<b>", 1.0, 2.0), ("carol", 0.0, None)), bars=("busy_h", "idle_h")))
    assert drawn.startswith("<svg role")
    assert "currentColor" in drawn
    assert "<b>" not in drawn
    assert " style=" not in drawn
    assert plot(Table("t", "", columns, (("bob", 0.0, 0.0),), bars=("busy_h", "idle_h"))) == ""
