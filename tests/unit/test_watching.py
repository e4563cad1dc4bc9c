"""Watching a submit: what the happenings add up to, and how it ends."""

import pytest

from mlinfn_condor.errors import JobHeld
from mlinfn_condor.pool import Happening, JobId, JobState
from mlinfn_condor.submission.watching import Watch, steps


def job(proc=0):
    return JobId("batch@", 7, proc)


def happened(*states, proc=0, **how):
    return [Happening(job(proc), state, **how) for state in states]


IDLE, RUNNING, DONE = JobState.IDLE, JobState.RUNNING, JobState.COMPLETED


def watching(*happenings, jobs=None):
    watch = Watch(jobs)
    for batch in happenings:
        watch.learn(batch)
    return watch


def test_a_single_job_is_told_by_its_state():
    assert watching([], jobs=1).sentence == "idle"
    assert watching(happened(IDLE, RUNNING)).sentence == "running"
    assert watching(happened(IDLE, RUNNING), happened(IDLE, displaced=True)).sentence == "idle; displaced 1 time"


@pytest.mark.parametrize("code", [0, 3, 137])
def test_it_ends_with_the_exit_code_of_the_job(code):
    watch = watching(happened(IDLE, RUNNING))
    assert not watch.over
    watch.learn(happened(DONE, exit_code=code))
    assert (watch.over, watch.exit_code, watch.sentence) == (True, code, "completed")


def test_a_removed_job_is_no_success():
    assert watching(happened(IDLE, JobState.REMOVED)).exit_code == 1


def test_many_jobs_are_counted_and_the_first_that_failed_gives_the_exit_code():
    ended = [*happened(DONE, proc=2, exit_code=5), *happened(DONE, proc=1, exit_code=4), *happened(DONE, exit_code=0)]
    waiting = [*happened(RUNNING, proc=3), *happened(IDLE, proc=4, displaced=True)]
    watch = watching(ended, waiting, jobs=5)
    assert watch.sentence == "3 of 5 done (2 failed), 1 idle, 1 running; displaced 1 time"
    assert not watch.over
    watch.learn([*happened(DONE, proc=3, exit_code=0), *happened(DONE, proc=4, exit_code=0)])
    assert (watch.over, watch.exit_code) == (True, 4)


def test_it_is_not_over_before_it_is_known_of_as_many_jobs_as_there_are():
    assert not watching(happened(DONE, exit_code=0), jobs=2).over
    assert not watching([]).over


def test_a_job_on_hold_stops_it_at_once_and_says_why_and_how_to_go_on():
    with pytest.raises(JobHeld, match=r"batch@7.0 is on hold: out of memory. `condor_release -name batch@ 7.0` lets"):
        watching(happened(IDLE, JobState.HELD, reason="out of memory."))


def test_a_hold_of_the_past_is_none():
    assert watching(happened(IDLE, JobState.HELD, IDLE, RUNNING)).sentence == "running"


def test_a_training_says_how_far_it_is():
    assert steps("starts\nepoch 3 of 20, accuracy 0.9\nEpoch 4/20\nsaved") == (4, 20)
    assert steps("learned 3 of 20 things") is None
