"""Which projects the pool is told that people belong to."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub.accounts import membership, settling
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.pool.priorities import Priority

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
    assert membership.render(membership.members(BASE, accounts, NOON)) == expected


def test_a_map_that_says_so_already_is_not_written(tmp_path):
    path = tmp_path / "projects.map"
    assert membership.write(path, "* alice alpha\n")
    before = path.stat()
    assert not membership.write(path, "* alice alpha\n")
    assert path.stat() == before


def test_each_version_of_the_map_has_a_time_of_its_own_to_the_second(tmp_path):
    path, times = tmp_path / "projects.map", []
    for n in range(5):
        membership.write(path, f"* alice project{n}\n")
        times.append(int(path.stat().st_mtime))
    assert times == sorted(set(times))
    assert [each.name for each in tmp_path.iterdir()] == ["projects.map"]


def group(name):
    return Priority(name, "", True, 1.0, 1.0, 0.0, 0.0)


PUBLISHED = [
    group("group_batch"),
    group("group_batch.alpha"),
    group("group_dask.beta"),
    group("<none>"),
    group("other.x"),
]


def test_the_pool_publishes_its_projects_as_groups():
    assert membership.known_projects(PUBLISHED) == {"alpha", "beta"}


def test_a_submitter_is_no_project():
    submitter = Priority("group_batch.gamma.alice@x", "group_batch.gamma", False, 1.0, 1.0, 0.0, 0.0)
    assert membership.known_projects([submitter]) == frozenset()


def test_a_project_that_the_pool_does_not_have_is_refused_by_name():
    membership.check_projects(["alpha"], frozenset({"alpha", "beta"}))
    with pytest.raises(BadRequest, match=r"no project gamma: choose from alpha, beta"):
        membership.check_projects(["alpha", "gamma"], frozenset({"alpha", "beta"}))


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    with made.change() as accounts:
        accounts["alice"] = Account(projects=("alpha",))
    return made


def settled(store, user="alice", seconds=0.0):
    return asyncio.run(settling.settled(store, user, seconds))


def test_a_person_is_settled_once_the_access_point_of_sessions_has_read_the_map(store):
    assert not settled(store)
    settling.note_applied(store, BATCH, {"alice": ("alpha",)})
    assert not settled(store)
    settling.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    assert settled(store)
    assert settling.applied(store, BATCH) == {"alice": ("alpha",)}


def test_a_new_project_has_to_be_read_too(store):
    settling.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    with store.change() as accounts:
        accounts["alice"] = Account(projects=("alpha", "beta"))
    assert not settled(store)


def test_nobody_is_settled_while_the_map_changes(store):
    settling.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
    settling.forget_applied(store)
    assert not settled(store)


def test_waiting_ends_when_the_map_is_read(store):
    async def wait_and_note():
        waiting = asyncio.create_task(settling.settled(store, "alice", 30))
        await asyncio.sleep(0)
        settling.note_applied(store, INTERACTIVE, {"alice": ("alpha",)})
        return await waiting

    assert asyncio.run(wait_and_note())


@pytest.mark.parametrize("content", ["", "[]", "{", '{"interactive@": 3}'])
def test_a_damaged_note_is_taken_as_unknown(store, content):
    store.applied.write_text(content)
    assert not settled(store)
