"""Who gets a boost, and until when."""

from datetime import UTC, datetime

import pytest

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.contracts.boosts import members, of_project, seconds_until, submitters
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool.leases import LeaseKind, TwinLeases

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
MAP = ["* alice alpha,beta", "* bob beta", "", "# a remark"]


@pytest.mark.parametrize(
    ("text", "seconds"), [("+90m", 5400), ("+8h", 28800), ("+3d", 259200), ("2026-11-25T12:00:30+00:00", 30)]
)
def test_an_end_is_a_time_or_a_span(text, seconds):
    assert seconds_until(text, NOW) == seconds


@pytest.mark.parametrize("text", ["tomorrow", "+8", "+0h", "+40d", "2026-11-25T11:00:00+00:00", "+99999999999d"])
def test_what_is_no_end_is_refused(text):
    with pytest.raises(BadRequest):
        seconds_until(text, NOW)


def test_every_member_is_boosted_in_every_class():
    assert members(MAP, "beta") == ["alice", "bob"]
    assert submitters("beta", ["bob"], list(PriorityClass), "demo") == [
        f"group_{name}.beta.bob@demo" for name in ("interactive", "dask", "batch")
    ]
    with pytest.raises(BadRequest, match="nobody"):
        members(MAP, "bet")


def test_a_project_is_not_taken_for_another_that_begins_like_it():
    leases = TwinLeases()
    for project in ("alpha", "alphabet"):
        leases.give(f"group_batch.{project}.alice@demo", LeaseKind.FLOOR, 16, 60)
    assert list(of_project(leases.in_force(), "alpha")) == [("group_batch.alpha.alice@demo", LeaseKind.FLOOR)]
