"""What the accounts service does to hub and pool, over the pool's twin and a hub that remembers."""

from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.errors import PoolUnavailable, UserError
from mlinfn_condor.hub.accounts import membership
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.service import RETRY_SECONDS, ROUND_SECONDS, Rounds
from mlinfn_condor.hub.accounts.steward import LOOK_SECONDS, Steward, excluded
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.hub_api import HubUnavailable, Session
from mlinfn_condor.pool.protocol import ACCESS_POINTS
from mlinfn_condor.pool.twin import TwinPool

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ALPHA = Account(projects=("alpha",))
PROJECTS = ["alpha", "beta"]


class RememberingHub:
    """Sessions and tokens by user; what was ended goes."""

    def __init__(self):
        self.running = [session("alice"), session("bob"), session("bob", "notes")]
        self.held = {"alice": ["a1"], "bob": ["b1", "b2"]}
        self.remembered = ["alice", "bob"]
        self.starting = []
        self.listings = 0
        self.down = False
        self.asked = []

    def sessions(self):
        if self.down:
            raise HubUnavailable("GET users: refused")
        return list(self.running)

    def stop(self, stopped):
        self.running.remove(stopped)

    def tokens(self, user):
        self.asked.append(user)
        return list(self.held.get(user, []))

    def revoke(self, user, token):
        self.held[user].remove(token)

    def users(self):
        self.listings += 1
        if self.down:
            raise HubUnavailable("GET users: refused")
        servers = {name: [] for name in self.remembered}
        for one in self.running + self.starting:
            servers[one.user].append(one.server)
        return servers

    def forget(self, user):
        self.remembered.remove(user)


def session(user, server=""):
    return Session(user, server, None, {}, {})


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "accounts")
    with made.change() as accounts:
        accounts |= {"alice": ALPHA, "bob": Account(projects=("beta",), until=LATER)}
    return made


@pytest.fixture
def hub():
    return RememberingHub()


@pytest.fixture
def pool():
    return TwinPool(user="admin")


@pytest.fixture
def map_file(tmp_path):
    return tmp_path / "projects.map"


@pytest.fixture
def steward(store, hub, pool, map_file, tmp_path):
    return Steward(store, hub, lambda: pool, map_file, PROJECTS, home_of=lambda name: tmp_path / "homes" / name)


def test_the_access_points_read_the_map_and_the_hub_hears_of_it(steward, store, pool, map_file):
    steward.tell_the_pool(NOON)
    assert map_file.read_text() == "* alice alpha\n* bob beta\n"
    assert pool.reconfigured == list(ACCESS_POINTS)
    assert membership.is_settled(store, "alice")


def test_nothing_is_read_again_while_nothing_changes(steward, pool):
    steward.tell_the_pool(NOON)
    steward.tell_the_pool(NOON)
    assert pool.reconfigured == list(ACCESS_POINTS)


def test_the_end_of_an_account_changes_the_map(steward, pool, map_file):
    steward.tell_the_pool(NOON)
    steward.tell_the_pool(LATER)
    assert map_file.read_text() == "* alice alpha\n"
    assert len(pool.reconfigured) == 4


def test_a_map_that_somebody_wrote_over_is_written_and_read_again(steward, pool, map_file):
    steward.tell_the_pool(NOON)
    map_file.write_text("* mallory alpha\n")
    steward.tell_the_pool(NOON)
    assert "mallory" not in map_file.read_text()
    assert len(pool.reconfigured) == 4


def test_projects_that_the_pool_does_not_have_are_left_out_and_told_once(steward, store, map_file, caplog):
    with store.change() as accounts:
        accounts["alice"] = Account(projects=("alpha", "gamma"))
        accounts["carol"] = Account(projects=("gamma",))
        accounts["dora"] = Account(projects=("x\n* mallory alpha",))
    for _ in range(2):
        steward.tell_the_pool(NOON)
    assert map_file.read_text() == "* alice alpha\n* bob beta\n"
    (told,) = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert "'gamma' (alice, carol)" in told
    assert "\n" not in told
    assert membership.is_settled(store, "carol")  # nothing to wait for: the pool knows all that it will ever know


def test_a_new_person_has_a_home_before_he_is_settled(steward, tmp_path):
    steward.tell_the_pool(NOON)
    assert (tmp_path / "homes" / "bob").stat().st_mode & 0o777 == 0o700


class OneAway(TwinPool):
    """The first access point does not answer."""

    def reconfigure(self, access_point):
        if access_point == ACCESS_POINTS[0]:
            raise PoolUnavailable(f"access point {access_point} did not answer")
        super().reconfigure(access_point)


def test_an_access_point_that_is_away_holds_up_no_other_and_hears_later(store, hub, map_file):
    away, there = OneAway(user="admin"), TwinPool(user="admin")
    with pytest.raises(PoolUnavailable):
        Steward(store, hub, lambda: away, map_file, PROJECTS).tell_the_pool(NOON)
    assert away.reconfigured == list(ACCESS_POINTS[1:])
    Steward(store, hub, lambda: there, map_file, PROJECTS).tell_the_pool(NOON)
    assert there.reconfigured == [ACCESS_POINTS[0]]


def test_whose_account_is_over_keeps_neither_sessions_nor_tokens(steward, hub):
    steward.end_what_is_over(NOON)
    assert len(hub.running) == 3
    steward.end_what_is_over(LATER)
    assert hub.running == [session("alice")]
    assert hub.held == {"alice": ["a1"], "bob": []}


def test_who_was_removed_keeps_nothing_either(steward, store, hub):
    with store.change() as accounts:
        del accounts["alice"]
    steward.end_what_is_over(NOON)
    assert [each.user for each in hub.running] == ["bob", "bob"]
    assert hub.held["alice"] == []


def test_a_hub_is_asked_for_tokens_once_for_each_end(steward, store, hub):
    steward.end_what_is_over(LATER)
    steward.end_what_is_over(LATER)
    assert hub.asked == ["bob"]
    with store.change() as accounts:
        accounts["bob"] = accounts["bob"].model_copy(update={"until": None})
    steward.end_what_is_over(LATER)
    with store.change() as accounts:
        accounts["bob"] = accounts["bob"].model_copy(update={"until": LATER})
    steward.end_what_is_over(LATER)
    assert hub.asked == ["bob", "bob"]


def test_accounts_that_cannot_be_read_end_nobody(steward, store, hub):
    store.path.write_text("{")
    with pytest.raises(UserError):
        steward.end_what_is_over(LATER)
    store.path.unlink()
    steward.end_what_is_over(LATER)
    assert len(hub.running) == 3


def test_a_hub_that_is_down_is_asked_again(steward, hub):
    hub.down = True
    with pytest.raises(HubUnavailable):
        steward.end_what_is_over(LATER)
    hub.down = False
    steward.end_what_is_over(LATER)
    assert hub.running == [session("alice")]


@pytest.mark.parametrize(
    ("accounts", "in_use", "expected"),
    [
        ({"alice": ALPHA}, ["alice"], []),
        ({"alice": ALPHA}, ["alice", "bob"], ["bob"]),
        ({"alice": Account(projects=("alpha",), until=NOON)}, [], ["alice"]),
        ({"alice": Account(sign_in=SignIn(subject="i#1"))}, [], ["alice"]),
        ({"admin": Account(admin=True)}, ["admin"], []),
    ],
)
def test_excluded_is_whom_no_account_admits(accounts, in_use, expected):
    assert excluded(accounts, in_use, NOON) == expected


class Task:
    def __init__(self, *answers):
        self.answers, self.done = list(answers), 0

    def __call__(self):
        self.done += 1
        if self.answers and (error := self.answers.pop(0)):
            raise error


def test_a_task_is_done_at_once_then_each_round_and_after_each_change():
    rounds = Rounds("it", task := Task())
    for moment, changed in [(0.1, False), (1, False), (2, True), (3, False), (2 + ROUND_SECONDS, False)]:
        rounds.turn(moment, changed=changed)
    assert task.done == 3


def test_what_failed_is_tried_again_soon_and_complained_of_once(caplog):
    away = PoolUnavailable("the collector did not answer")
    rounds = Rounds("it", task := Task(away, away, OSError("disk"), None))
    for turn in range(4):
        rounds.turn(1 + turn * RETRY_SECONDS, changed=False)
    rounds.turn(1 + 4 * RETRY_SECONDS, changed=False)
    assert task.done == 4
    assert [record.message.split(";")[0] for record in caplog.records] == [
        "it: the collector did not answer",
        "it: disk",
    ]


def test_a_mistake_of_ours_is_not_hidden():
    with pytest.raises(ZeroDivisionError):
        Rounds("it", Task(ZeroDivisionError())).turn(1, changed=True)


def test_who_has_no_account_any_more_is_forgotten_once_his_sessions_have_gone(steward, store, hub):
    with store.change() as accounts:
        del accounts["bob"]
    steward.end_what_is_over(NOON)
    assert hub.remembered == ["alice", "bob"]  # the hub would not take a user with a server that just stops
    assert [one.user for one in hub.running] == ["alice"]
    steward.end_what_is_over(NOON)
    assert hub.remembered == ["alice"]


def test_an_account_that_is_over_is_remembered_for_it_may_be_extended(steward, store, hub):
    steward.end_what_is_over(LATER)
    steward.end_what_is_over(LATER)
    assert hub.remembered == ["alice", "bob"]


def test_a_missing_file_of_accounts_makes_nobody_forgotten(steward, store, hub):
    store.path.unlink()
    steward.end_what_is_over(LATER)
    assert hub.remembered == ["alice", "bob"]
    assert len(hub.running) == 3


def test_who_signs_in_for_the_first_time_while_we_look_is_not_forgotten(steward, store, hub):
    def users():
        with store.change() as accounts:  # as sign-in does, before the hub knows its user
            accounts["carol"] = ALPHA
        return dict.fromkeys(["alice", "bob", "carol"], ())

    hub.remembered.append("carol")
    hub.users = users
    steward.end_what_is_over(NOON)
    assert "carol" in hub.remembered


def test_the_hub_is_asked_while_there_is_something_to_do_and_then_rarely(steward, store, hub):
    hub.starting = [session("bob", "late")]
    for _ in range(3):
        steward.end_what_is_over(LATER)
    assert hub.listings == 3  # a server that starts is up sometime, and then it is stopped
    hub.running, hub.starting = [*hub.running, *hub.starting], []
    for _ in range(4):
        steward.end_what_is_over(LATER)
    assert [one.user for one in hub.running] == ["alice"]
    assert hub.listings == 5
    steward.end_what_is_over(LATER + timedelta(seconds=LOOK_SECONDS))
    assert hub.listings == 6


@pytest.mark.parametrize("change", [lambda a: a.pop("alice"), lambda a: a.update(carol=ALPHA)])
def test_the_hub_is_asked_after_each_change_of_the_accounts(steward, store, hub, change):
    for _ in range(2):
        steward.end_what_is_over(NOON)
    with store.change() as accounts:
        change(accounts)
    steward.end_what_is_over(NOON)
    assert hub.listings == 2


def test_jobs_go_with_the_account_whether_it_ended_or_was_removed(steward, store, hub, pool):
    with store.change() as accounts:
        del accounts["alice"]
    for user in ("alice", "bob", "carol"):
        pool.user = user
        pool.submit('executable = /bin/sleep\n+PriorityClass = "batch"\n', ACCESS_POINTS[1])
    for _ in range(2):
        steward.end_what_is_over(LATER)
    steward.remove_jobs(LATER)
    assert [job.user for job in pool.jobs()] == ["carol"]
