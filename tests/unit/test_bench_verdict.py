"""Each fault of a hand-over, made up in a journal, is found; a clean run is found clean."""

import pytest

from mlinfn_condor.bench.journal import Event, attempts
from mlinfn_condor.bench.verdict import Verdict, judge

CLEAN = [
    "batch-1.0 10 started A",
    "batch-1.0 11 computing A",
    "batch-1.0 20 asked-to-leave A",
    "interactive-1.0 20.5 started A",
    "batch-1.0 21 left A",
    "interactive-1.0 21.1 computing A",
    "interactive-1.0 22 finished A",
    "batch-1.0 23 started A",
    "batch-1.0 23.1 computing A",
    "batch-1.0 40 finished A",
]


def verdict(lines: list[str], queued: tuple[str, ...] = ()) -> Verdict:
    events = [Event(job, float(when), what, tuple(devices)) for job, when, what, *devices in map(str.split, lines)]
    events.sort(key=lambda event: event.when)
    return judge(attempts(events), {event.job for event in events}, queued)


def faults(found: Verdict) -> dict[str, int]:
    names = ("double_use", "wasted_evictions", "lost", "repeated", "killed", "late_evictions")
    return {name: getattr(found, name) for name in names if getattr(found, name)}


def test_a_clean_hand_over_counts_once_and_has_no_fault() -> None:
    found = verdict(CLEAN)
    assert (found.n, found.to_sessions, found.to_dask, found.completed) == (1, 1, 0, 2)
    assert faults(found) == {}


def test_the_payloads_own_lock_tells_of_double_use() -> None:
    assert faults(verdict([*CLEAN, "interactive-1.0 21.05 double-use A"])) == {"double_use": 1}


def test_overlapping_clocks_tell_of_double_use_that_no_lock_saw() -> None:
    early = [line.replace("21.1 computing", "20.9 computing") for line in CLEAN]
    assert faults(verdict(early)) == {"double_use": 1}


def test_double_use_that_lock_and_clock_both_saw_counts_once() -> None:
    early = [line.replace("21.1 computing", "20.9 computing") for line in CLEAN]
    assert faults(verdict([*early, "interactive-1.0 20.8 double-use A"])) == {"double_use": 1}


def test_an_eviction_whose_device_goes_to_batch_again_is_wasted() -> None:
    other = [line.replace("interactive-1.0", "batch-2.0") for line in CLEAN]
    found = verdict(other)
    assert (found.n, faults(found)) == (0, {"wasted_evictions": 1})


def test_an_eviction_whose_device_nobody_gets_is_wasted() -> None:
    lines = [line for line in CLEAN[:5] if not line.startswith("interactive")]
    assert faults(verdict(lines, queued=("batch-1.0",))) == {"wasted_evictions": 1}


def test_a_session_that_only_waited_for_the_device_did_not_get_it() -> None:
    lines = [*CLEAN[:5], "interactive-1.0 22 asked-to-leave A", "interactive-1.0 22.1 left A"]
    found = verdict(lines, queued=("batch-1.0", "interactive-1.0"))
    assert found.wasted_evictions >= 1


def test_dask_may_displace_batch_but_not_a_session() -> None:
    assert verdict([line.replace("interactive", "dask") for line in CLEAN]).to_dask == 1
    upside_down = [line.replace("interactive", "dask").replace("batch", "interactive") for line in CLEAN]
    assert faults(verdict(upside_down)) == {"wasted_evictions": 1}


def test_a_job_that_is_gone_without_having_finished_is_lost() -> None:
    unfinished = CLEAN[:-1]
    assert faults(verdict(unfinished)) == {"lost": 1}
    assert faults(verdict(unfinished, queued=("batch-1.0",))) == {}


def test_a_job_that_never_wrote_a_line_is_lost_too() -> None:
    assert judge([], ["batch-7.0"], []).lost == 1


def test_a_job_that_computes_to_its_end_twice_is_repeated() -> None:
    again = ["batch-1.0 41 started B", "batch-1.0 41.1 computing B", "batch-1.0 60 finished B"]
    assert faults(verdict([*CLEAN, *again])) == {"repeated": 1}


def test_a_job_that_finished_while_it_was_evicted_is_told_but_no_repetition() -> None:
    again = ["batch-1.0 41 started B", "batch-1.0 41.1 found-finished B"]
    assert faults(verdict([*CLEAN, *again])) == {"late_evictions": 1}


def test_a_job_that_starts_again_without_having_been_asked_to_leave_was_killed() -> None:
    unasked = [line for line in CLEAN if line.split()[2] not in ("asked-to-leave", "left")]
    assert faults(verdict(unasked)) == {"killed": 1}


def test_two_devices_are_two_lines() -> None:
    second = [line.replace(" A", " B").replace("-1.0", "-2.0") for line in CLEAN]
    assert verdict([*CLEAN, *second]).n == 2


def test_an_event_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(ValueError, match="unheard-of"):
        verdict(["batch-1.0 1 started A", "batch-1.0 2 unheard-of A"])
