"""Which workers are lost, and when replacing them ends."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.dask.watching import MOST_IN_A_ROW, Lost, Patience, lost
from mlinfn_condor.pool import Job, JobId

NOW = 1_800_000_000
CODE = {"idle": 1, "running": 2, "held": 5}


def job(number, state="running", since=0, **ad):
    return Job.from_ad(
        "batch@",
        {"ClusterId": 1, "ProcId": number, "JobStatus": CODE[state], "EnteredCurrentStatus": NOW - since, **ad},
    )


def who(jobs, joined=(), workers=3):
    known = {f"w-{n}": JobId("batch@", 1, n) for n in range(workers)}
    return {one.worker: one.reason for one in lost(known, jobs, joined, NOW, join_seconds=180)}


def test_a_displaced_worker_that_waits_for_its_next_slot_is_not_lost():
    assert who([job(0, "idle", since=100_000), job(1), job(2)]) == {}


def test_a_worker_that_was_removed_is_lost():
    assert who([job(0), job(2)]) == {"w-1": "its job is not in the queue any more"}


def test_a_held_worker_is_lost_with_its_reason():
    assert who([job(0), job(1), job(2, "held", HoldReason="no disk")]) == {"w-2": "its job is on hold: no disk"}


@pytest.mark.parametrize(("since", "joined", "is_lost"), [(179, (), False), (181, (), True), (9999, ("w-0",), False)])
def test_a_worker_that_runs_and_never_joins_is_lost_in_the_end(since, joined, is_lost):
    assert ("w-0" in who([job(0, since=since), job(1), job(2)], joined)) is is_lost


@settings(deadline=None)
@given(st.lists(st.tuples(st.integers(0, 300), st.booleans()), max_size=40))
def test_replacing_ends_after_some_looks_without_anybody_joining(course):
    patience, looks = Patience(), 0
    for count, somebody_joined in course:
        looks = (0 if somebody_joined else looks) + bool(count)
        again = patience.after({"x"} if somebody_joined else set(), [Lost(f"w-{n}", "") for n in range(count)])
        assert again is (looks <= MOST_IN_A_ROW)
