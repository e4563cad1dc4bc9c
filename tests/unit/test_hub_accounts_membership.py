"""Which projects the pool is told that people belong to."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts import membership, project_map
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.store import Store

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
BASE = {"bob": ("beta",), "alice": ("alpha",)}
INTERACTIVE, BATCH = "interactive@", "batch@"


@pytest.mark.parametrize(
    ("accounts", "expected"),
    [
        ({}, "* bob beta\n* alice alpha\n"),
        ({"carol": Account(projects=("alpha", "beta"))}, "* bob beta\n* alice alpha\n* carol alpha,beta\n"),
        ({"bob": Account(projects=("alpha", "beta"))}, "* bob beta,alpha\n* alice alpha\n"),
        (
            {"carol": Account(sign_in=SignIn(subject="i#1", projects=("alpha",)))},
            "* bob beta\n* alice alpha\n* carol alpha\n",
        ),
        ({"carol": Account()}, "* bob beta\n* alice alpha\n"),
        ({"carol": Account(projects=("alpha",), until=NOON)}, "* bob beta\n* alice alpha\n"),
        ({"alice": Account(until=NOON)}, "* bob beta\n"),
        ({"alice": Account(until=NOON + timedelta(seconds=1))}, "* bob beta\n* alice alpha\n"),
        (
            {"z": Account(projects=("alpha",)), "a": Account(projects=("beta",))},
            "* bob beta\n* alice alpha\n* a beta\n* z alpha\n",
        ),
    ],
)
def test_the_map_follows_the_accounts_in_a_stable_order(accounts, expected):
    assert project_map.render(project_map.members(BASE, accounts, NOON)) == expected


def test_a_map_says_what_was_written(tmp_path):
    path = tmp_path / "projects.map"
    assert not project_map.says(path, "")
    project_map.write(path, "* alice alpha\n")
    assert project_map.says(path, "* alice alpha\n")
    assert not project_map.says(path, "* alice beta\n")


def test_each_version_of_the_map_has_a_time_of_its_own_to_the_second(tmp_path):
    path, times = tmp_path / "projects.map", []
    for n in range(5):
        project_map.write(path, f"* alice project{n}\n")
        times.append(int(path.stat().st_mtime))
    assert times == sorted(set(times))
    assert [each.name for each in tmp_path.iterdir()] == ["projects.map"]


def test_a_project_that_the_pool_does_not_have_is_refused_by_name():
    project_map.check_projects(["alpha"], ["alpha", "beta"])
    with pytest.raises(BadRequest, match=r"no project gamma: choose from alpha, beta"):
        project_map.check_projects(["alpha", "gamma"], ["alpha", "beta"])


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    with made.change() as accounts:
        accounts["alice"] = Account(projects=("alpha",))
    return made


def settled(store, user="alice", seconds=0.0):
    return asyncio.run(membership.settled(store, user, seconds))


def test_a_person_is_settled_once_the_access_point_of_sessions_has_read_the_map(store):
    assert not settled(store)
    membership.note_applied(store, BATCH, {"alice": ("alpha",)})
    assert not settled(store)
    membership.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    assert settled(store)
    assert membership.applied(store, BATCH) == {"alice": ("alpha",)}


def test_a_new_project_has_to_be_read_too(store):
    membership.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    with store.change() as accounts:
        accounts["alice"] = Account(projects=("alpha", "beta"))
    assert not settled(store)


def test_nobody_is_settled_while_the_map_changes(store):
    membership.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    membership.forget_applied(store)
    assert not settled(store)


def test_waiting_ends_when_the_map_is_read(store):
    async def wait_and_note():
        waiting = asyncio.create_task(membership.settled(store, "alice", 30))
        await asyncio.sleep(0)
        membership.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
        return await waiting

    assert asyncio.run(wait_and_note())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"interactive@": 3}'])
def test_a_damaged_note_is_taken_as_unknown(store, content):
    store.applied.write_text(content)
    assert not settled(store)
