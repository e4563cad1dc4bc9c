"""Jobs of people whose accounts are over, over the pool's twin."""

from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.errors import JobRefused
from mlinfn_condor.hub.accounts import leavers, membership
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.leavers import BATCH, REASON, Leavers
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.pool.protocol import ACCESS_POINTS
from mlinfn_condor.pool.twin import TwinPool

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ALPHA = Account(projects=("alpha",))
JOB = 'executable = /bin/sleep\n+PriorityClass = "batch"\n'
SESSION = JOB + '+MlinfnHub = "demo"\n'


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "accounts")
    with made.change() as accounts:
        accounts |= {"alice": ALPHA, "bob": Account(projects=("beta",), until=LATER)}
    return made


@pytest.fixture
def pool():
    return TwinPool(user="admin")


@pytest.fixture
def leaving(store, pool):
    return Leavers(store, lambda: pool, {"carol": ("alpha",)})


def submit(pool, user, description=JOB, access_point=BATCH):
    pool.user, administrator = user, pool.user
    try:
        return pool.submit(description, access_point)
    finally:
        pool.user = administrator


def owners(pool):
    return sorted(job.user for job in pool.jobs())


def test_whose_account_ends_has_nothing_in_the_queues_any_more_and_not_before(leaving, pool):
    queued, running = submit(pool, "bob"), submit(pool, "bob")
    pool.start(running)
    submit(pool, "alice")
    leaving.remove_jobs(NOON)
    assert owners(pool) == ["alice", "bob", "bob"]
    leaving.remove_jobs(LATER)
    assert owners(pool) == ["alice"]
    assert {job.id: job.ad["RemoveReason"] for job in pool.history()} == {queued: REASON, running: REASON}


def test_sessions_are_the_hubs_to_end(leaving, pool):
    submit(pool, "bob", SESSION, ACCESS_POINTS[0])
    submit(pool, "bob", JOB, ACCESS_POINTS[0])
    leaving.remove_jobs(LATER)
    assert [job.ad["MlinfnHub"] for job in pool.jobs()] == ["demo"]


def test_who_was_removed_leaves_nothing_either_until_he_has_an_account_again(leaving, store, pool):
    with store.change() as accounts:
        del accounts["bob"]
    leaving.add("bob")
    submit(pool, "bob")
    leaving.remove_jobs(NOON)
    assert owners(pool) == []
    with store.change() as accounts:
        accounts["bob"] = ALPHA
    submit(pool, "bob")
    leaving.remove_jobs(NOON)
    assert owners(pool) == ["bob"]


def test_people_of_the_pool_without_an_account_keep_theirs(leaving, pool):
    leaving.add("carol")
    submit(pool, "carol")
    submit(pool, "dora")
    leaving.remove_jobs(LATER)
    assert owners(pool) == ["carol", "dora"]


def test_a_missing_file_of_accounts_ends_no_job(leaving, store, pool):
    submit(pool, "alice")
    store.path.unlink()
    leaving.remove_jobs(LATER)
    assert owners(pool) == ["alice"]


def test_the_pool_is_asked_until_it_takes_nothing_more_from_them(leaving, store, pool):
    membership.note_applied(store, BATCH, {"bob": ("beta",)})
    asked = []
    jobs = pool.jobs
    pool.jobs = lambda *words: asked.append(words) or jobs(*words)
    leaving.remove_jobs(LATER)
    submit(pool, "bob")  # the access point has not heard of his end yet
    leaving.remove_jobs(LATER)
    membership.note_applied(store, BATCH, {})
    assert jobs() == []
    leaving.remove_jobs(LATER)
    assert len(asked) == 3
    leaving.remove_jobs(LATER)
    assert len(asked) == 3


def test_who_is_good_again_and_ends_again_is_looked_after_again(leaving, store, pool):
    leaving.remove_jobs(LATER)
    with store.change() as accounts:
        accounts["bob"] = ALPHA
    submit(pool, "bob")
    leaving.remove_jobs(LATER)
    assert owners(pool) == ["bob"]
    with store.change() as accounts:
        accounts["bob"] = Account(projects=("alpha",), until=LATER)
    leaving.remove_jobs(LATER)
    assert owners(pool) == []


class NotMine(TwinPool):
    def remove(self, job, reason):
        if job.cluster == 1:
            raise JobRefused(f"{job} was not removed: it is another user's")
        super().remove(job, reason)


def test_one_that_cannot_be_removed_is_told_and_costs_the_others_nothing(store):
    pool = NotMine(user="nobody")
    for _ in range(2):
        submit(pool, "bob")
    with pytest.raises(JobRefused, match="another user's"):
        Leavers(store, lambda: pool).remove_jobs(LATER)
    assert len(pool.jobs()) == 1


def test_a_name_that_is_no_identity_reaches_no_expression():
    ended = Account(until=NOON)
    assert leavers.over({'x" || true': ended, "bob": ended}, ["../carol"], LATER) == {"bob": NOON}
    assert leavers.constraint(["bob", "alice"]).startswith('(Owner == "alice" || Owner == "bob") &&')
