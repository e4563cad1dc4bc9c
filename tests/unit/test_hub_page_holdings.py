"""Who holds what, case by case."""

import pytest
from page_hub import HOLDING, OTHER, SESSION, WAITING, FakePlatform
from small_pool import HOUR_AGO, NOW, SECOND, asks_a100, claimed, job, snapshot

from mlinfn_condor.hub.page.holdings import held, holdings, project_totals
from mlinfn_condor.hub.page.limits import Held

OWNER = FakePlatform().owner_of


@pytest.fixture
def rows():
    batch = job("9.0", "batch", 2, "bob", **asks_a100())
    leaving = job("8.0", "interactive", 3, "bob", **asks_a100())
    return holdings(snapshot([SESSION, OTHER, WAITING, batch, leaving], HOLDING), OWNER)


def test_each_session_is_told_once_with_its_owner_and_its_server(rows):
    assert [(row.user, row.server, row.job) for row in rows] == [
        ("alice", "notes", "interactive@3.0"),
        ("bob", None, "interactive@4.0"),
        ("carol", "", "interactive@5.0"),
    ]


def test_what_runs_holds_its_devices_and_uses_them_by_the_hour(rows):
    alice = rows[0]
    assert (alice.devices, alice.device_count, alice.node) == ("1 A100 (simulated)", 1, "server2")
    assert (alice.since, alice.seconds, alice.device_hours) == (HOUR_AGO, 3600, 1.0)


def test_what_waits_holds_nothing_and_says_for_what(rows):
    carol = rows[2]
    assert (carol.devices, carol.device_count, carol.node) == ("waits for 2 A100", 0, "")
    assert (carol.since, carol.seconds, carol.device_hours) == (NOW - 60, 0, 0.0)


def test_a_device_in_a_hand_over_is_the_session_s_and_not_the_batch_job_s():
    arrived = claimed("slot1_2@server2@host", "interactive@6.0", "interactive", SECOND)
    comes = job("6.0", "interactive", 2, "carol", **asks_a100())
    (row,) = holdings(snapshot([comes], (*HOLDING, arrived)), OWNER)
    assert (row.devices, row.device_count) == ("1 A100 (simulated)", 1)


def test_a_collector_that_is_behind_hides_no_device():
    (row,) = holdings(snapshot([job("7.0", "interactive", 2, "bob", **asks_a100(2))], ()), OWNER)
    assert (row.devices, row.device_count) == ("2 A100", 2)


def test_projects_are_the_sums_of_their_sessions(rows):
    totals = {total.project: total for total in project_totals(rows)}
    assert list(totals) == ["alpha", "beta"]
    assert (totals["alpha"].people, totals["alpha"].sessions, totals["alpha"].devices) == (2, 2, 1)
    assert totals["beta"].core_hours == 4.0
    assert sum(total.device_hours for total in totals.values()) == sum(row.device_hours for row in rows)


def test_what_a_session_waits_for_counts_towards_the_limits():
    assert held(snapshot([SESSION, OTHER, WAITING], HOLDING), OWNER) == (
        Held("alice", "alpha", "notes", 1),
        Held("bob", "beta", "interactive@4.0", 0),
        Held("carol", "alpha", "", 2),
    )
