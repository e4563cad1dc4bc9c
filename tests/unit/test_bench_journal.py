"""The journal is read as it grows; the watch follows who holds which device."""

from pathlib import Path

import pytest

from mlinfn_condor.bench.handovers import Watch
from mlinfn_condor.bench.journal import Event, Journal
from mlinfn_condor.bench.stand import GPUS
from mlinfn_condor.errors import Timeout

T4, OTHER_T4 = [device for device, model in GPUS.items() if model == "T4"][:2]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "journal"


def test_a_journal_that_nobody_began_is_empty(path: Path) -> None:
    assert Journal(path).refresh() == []


def test_only_what_is_new_is_read_and_a_line_only_when_it_is_whole(path: Path) -> None:
    journal = Journal(path)
    path.write_text("batch-1.0 1.5 started A \nbatch-1.0 1.6 comp")
    assert journal.refresh() == [Event("batch-1.0", 1.5, "started", ("A",))]
    with path.open("a") as file:
        file.write("uting A B \n")
    assert journal.refresh() == [Event("batch-1.0", 1.6, "computing", ("A", "B"))]
    assert [event.what for event in journal.events] == ["started", "computing"]


def test_waiting_gives_those_that_came_and_a_need_that_is_not_met_is_an_error(path: Path) -> None:
    path.write_text("batch-1.0 1 started A\n")
    journal = Journal(path)
    assert journal.wait_for(["batch-1.0", "batch-2.0"], "started", 0.01).keys() == {"batch-1.0"}
    with pytest.raises(Timeout, match=r"batch-2\.0"):
        journal.need("batch-2.0", "started", 0.01)


def see(watch: Watch, *lines: str) -> Watch:
    for line in lines:
        job, what, *devices = line.split()
        watch.see(Event(job, 0, what, tuple(devices)))
    return watch


def test_a_session_is_sent_where_batch_computes_and_nobody_is_on_the_way() -> None:
    watch = Watch()
    assert watch.opening() is None
    see(watch, f"batch-1.0 computing {T4}")
    assert watch.opening() == "T4"
    watch.coming["interactive-1.0"] = "T4"
    assert watch.opening() is None
    see(watch, f"batch-2.0 computing {OTHER_T4}")
    assert watch.opening() == "T4"


def test_a_hand_over_is_seen_when_a_session_computes_on_what_batch_was_asked_to_leave() -> None:
    watch = see(Watch(), f"batch-1.0 computing {T4}", f"batch-1.0 asked-to-leave {T4}", f"batch-1.0 left {T4}")
    assert watch.handed_over == 0
    see(watch, f"interactive-1.0 computing {T4}")
    assert watch.handed_over == 1
    see(watch, f"interactive-1.0 finished {T4}", f"interactive-2.0 computing {T4}")
    assert watch.handed_over == 1


def test_a_device_that_batch_gets_back_was_not_handed_over() -> None:
    watch = see(Watch(), f"batch-1.0 asked-to-leave {T4}", f"batch-2.0 computing {T4}")
    assert watch.handed_over == 0


def test_the_pool_is_full_when_batch_computes_everywhere_undisturbed() -> None:
    watch = see(Watch(), *(f"batch-{number}.0 computing {device}" for number, device in enumerate(GPUS)))
    assert watch.full
    watch.coming["dask-1.0"] = ""
    assert not watch.full
    see(watch, f"dask-1.0 finished {T4}", f"batch-0.0 asked-to-leave {next(iter(GPUS))}")
    assert not watch.full
