"""How a glidein ends: which signal its startd gets when, and which exit code comes of it."""

import signal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.glidein.course import Course, Times
from mlinfn_condor.glidein.outcome import Exit

TERM, QUIT, KILL = signal.SIGTERM, signal.SIGQUIT, signal.SIGKILL
TIMES = Times(join=120, grace=135, goodbye=15)
NEW = Course(100.0, TIMES)
JOINED = NEW.taken()


def test_nothing_is_due_while_nothing_ends_it():
    assert NEW.due(500) is None


@pytest.mark.parametrize(
    ("after", "sent", "due"),
    [(0, None, TERM), (1, TERM, None), (119, TERM, None), (120, TERM, QUIT), (127, QUIT, None), (127.5, QUIT, KILL)],
)
def test_signals_grow_sharper_within_the_grace(after, sent, due):
    course = JOINED.told(Exit.TERMINATED, "", 1000)
    assert (course.signalled(sent) if sent else course).due(1000 + after) is due


def test_one_that_could_not_join_has_no_jobs_to_wait_for():
    course = NEW.checked(219.9, "")
    assert course.ending is None
    course = course.checked(220, "no answer")
    assert course.due(220) is QUIT
    assert "no answer" in course.outcome(0, "")[1]


def test_one_that_joined_may_lose_the_collector():
    assert JOINED.checked(10**6, "").ending is None


@pytest.mark.parametrize(
    ("course", "code", "outcome"),
    [
        (JOINED, 0, Exit.IDLE),
        (JOINED, 99, Exit.RETIRED),
        (JOINED, 4, Exit.CRASHED),
        (JOINED, -9, Exit.CRASHED),
        (NEW, 0, Exit.STARTUP),
        (NEW, 1, Exit.STARTUP),
        (JOINED.told(Exit.TERMINATED, "", 0), 0, Exit.TERMINATED),
        (JOINED.told(Exit.TERMINATED, "", 0), -9, Exit.TERMINATED),
        (JOINED.told(Exit.TERMINATED, "", 0), 99, Exit.TERMINATED),
        (NEW.told(Exit.JOIN, "", 0), 0, Exit.JOIN),
    ],
)
def test_the_exit_code(course, code, outcome):
    assert course.outcome(code, "")[0] is outcome


def test_a_second_word_changes_nothing():
    course = NEW.told(Exit.JOIN, "first", 5)
    assert course.told(Exit.TERMINATED, "second", 6) == course


@given(st.floats(0, 1000), st.floats(0, 300), st.lists(st.floats(0, 2000), max_size=30))
def test_signals_never_grow_softer_and_force_comes_within_the_grace(grace, goodbye, moments):
    course = Course(0, Times(1, grace, goodbye)).taken().told(Exit.TERMINATED, "", 0)
    order = [None, TERM, QUIT, KILL]
    for now in sorted(moments):
        if (due := course.due(now)) is not None:
            assert order.index(due) > order.index(course.sent)
            course = course.signalled(due)
    course = course.signalled(due) if (due := course.due(max(grace, goodbye))) else course
    assert course.sent is KILL
