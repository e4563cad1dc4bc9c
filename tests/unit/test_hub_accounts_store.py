"""The file of accounts: what a reader and a second writer see."""

import json
import threading
from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.errors import UserError
from mlinfn_condor.hub.accounts import passwords, people
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.accounts.throttle import WINDOW_SECONDS, Throttle

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    return Store(tmp_path / "accounts")


def test_a_store_that_was_never_written_has_no_accounts(store):
    assert store.read() == {}
    assert store.version() is None


def test_what_was_changed_is_read_again(store):
    alice = Account(password="x", projects=("alpha",), until=NOON, sign_in=SignIn(subject="iss#1", projects=("beta",)))
    with store.change() as accounts:
        accounts["alice"] = alice
    assert store.read() == {"alice": alice}


def test_nobody_else_can_read_it(store):
    with store.change() as accounts:
        accounts["alice"] = Account()
    assert (store.path.stat().st_mode & 0o777, store.folder.stat().st_mode & 0o777) == (0o600, 0o700)


def test_a_change_that_fails_leaves_the_file_as_it_was(store):
    with store.change() as accounts:
        accounts["alice"] = Account()
    version = store.version()
    with pytest.raises(KeyError), store.change() as accounts:
        del accounts["alice"], accounts["nobody"]
    assert store.version() == version


def test_a_change_of_nothing_writes_nothing(store):
    with store.change() as accounts:
        accounts["alice"] = Account()
    version = store.version()
    with store.change():
        pass
    assert store.version() == version


def test_two_writers_lose_nothing(store):
    def write(names):
        for name in names:
            with store.change() as accounts:
                accounts[name] = Account()

    threads = [threading.Thread(target=write, args=([f"{who}{n}" for n in range(20)],)) for who in "ab"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert len(store.read()) == 40


@pytest.mark.parametrize(
    "content", ["", "[]", '{"alice": {"amdin": true}}', '{"alice": {"until": "2026-12-01T12:00"}}']
)
def test_a_damaged_file_is_an_error_that_names_it(store, content):
    store.folder.mkdir()
    store.path.write_text(content)
    with pytest.raises(UserError, match=r"accounts\.json"):
        store.read()


@pytest.mark.parametrize(
    ("until", "ended"),
    [(None, False), (NOON - timedelta(seconds=1), True), (NOON, True), (NOON + timedelta(seconds=1), False)],
)
def test_an_account_ends_at_its_end(until, ended):
    account = Account(projects=("alpha",), until=until)
    assert account.ended(NOON) is ended
    assert account.admits(NOON) is not ended


@pytest.mark.parametrize(
    ("account", "admits"),
    [
        (Account(), False),
        (Account(projects=("alpha",)), True),
        (Account(admin=True), True),
        (Account(admin=True, until=NOON), False),
        (Account(sign_in=SignIn(subject="iss#1", projects=("alpha",))), True),
        (Account(sign_in=SignIn(subject="iss#1")), False),
    ],
)
def test_an_account_admits_who_has_a_project_or_administers(account, admits):
    assert account.admits(NOON) is admits


def test_projects_of_both_sources_count_once_the_administrators_first():
    account = Account(projects=("beta",), sign_in=SignIn(subject="iss#1", projects=("alpha", "beta")))
    assert account.member_of == ("beta", "alpha")


@pytest.mark.parametrize(
    ("account", "admin"),
    [
        (Account(), False),
        (Account(admin=True), True),
        (Account(sign_in=SignIn(subject="iss#1", admin=True)), True),
        (Account(sign_in=SignIn(subject="iss#1")), False),
    ],
)
def test_an_administrator_is_one_by_either_word(account, admin):
    assert account.is_admin is admin


def test_a_password_fits_its_own_hash_only():
    stored = passwords.hashed("correct horse")
    assert passwords.fits("correct horse", stored)
    assert not passwords.fits("correct house", stored)
    assert "correct" not in stored


def test_the_same_password_has_another_hash_each_time():
    assert passwords.hashed("correct horse") != passwords.hashed("correct horse")


@pytest.mark.parametrize(
    "stored", [None, "", "plain", "scrypt$1$2$3", "scrypt$x$8$1$AA==$AA==", "scrypt$16384$8$1$!$!"]
)
def test_nothing_fits_an_account_without_a_whole_hash(stored):
    assert not passwords.fits("", stored)


def test_made_passwords_are_readable_and_differ():
    made = {passwords.readable() for _ in range(50)}
    assert len(made) == 50
    assert all(password.replace("-", "").isalpha() and len(password) == 19 for password in made)


def test_people_of_a_demonstration_get_accounts_once(store):
    made = people.ensure(store, {"alice": ["alpha"], "carol": ["alpha", "beta"]})
    assert set(made) == {"alice", "carol", "admin"}
    accounts = store.read()
    assert accounts["carol"].projects == ("alpha", "beta")
    assert [name for name, account in accounts.items() if account.is_admin] == ["admin"]
    assert all(passwords.fits(made[name], accounts[name].password) for name in made)
    assert people.ensure(store, {"alice": ["beta"], "bob": ["beta"]}).keys() == {"bob"}
    assert store.read()["alice"].projects == ("alpha",)


def test_made_passwords_can_be_printed_again_by_their_owner_alone(store):
    made = people.ensure(store, {"alice": ["alpha"]})
    made |= people.ensure(store, {"bob": ["beta"]})
    assert people.kept(store) == made
    assert store.passwords.stat().st_mode & 0o777 == 0o600


def test_an_account_that_was_removed_does_not_come_back_and_its_password_is_gone(store):
    made = people.ensure(store, {"alice": ["alpha"], "bob": ["beta"]})
    with store.change() as accounts:
        del accounts["bob"]
        people.forget(store, "bob")
        people.forget(store, "somebody")
    assert people.ensure(store, {"alice": ["alpha"], "bob": ["beta"]}) == {}
    assert set(store.read()) == {"alice", "admin"}
    assert set(people.kept(store)) == {"alice", "admin"}
    assert made["bob"] not in store.passwords.read_text()


def test_where_there_are_no_accounts_at_all_everybody_gets_one(store):
    people.ensure(store, {"bob": ["beta"]})
    people.forget(store, "bob")
    store.path.unlink()
    assert people.ensure(store, {"bob": ["beta"]}).keys() == {"admin", "bob"}


def test_a_password_whose_account_was_not_made_any_more_is_made_again(store, monkeypatch):
    people.ensure(store, {})
    monkeypatch.setattr(passwords, "hashed", lambda _: 1 / 0)  # killed between the two files
    with pytest.raises(ZeroDivisionError):
        people.ensure(store, {"bob": ["beta"]})
    monkeypatch.undo()
    assert people.ensure(store, {"bob": ["beta"]}) == {"bob": people.kept(store)["bob"]}


def test_the_accounts_hold_no_plain_password(store):
    made = people.ensure(store, {"alice": ["alpha"]})
    assert not any(password in json.dumps(store.path.read_text()) for password in made.values())


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def test_guessing_is_slowed_by_name_and_minute():
    throttle = Throttle(3, clock := Clock())
    assert [throttle.begin("alice") for _ in range(5)] == [True, True, True, False, False]
    assert throttle.begin("bob")
    clock.now = WINDOW_SECONDS
    assert throttle.begin("alice")


def test_who_gets_in_begins_anew():
    throttle = Throttle(2, Clock())
    throttle.begin("alice")
    throttle.succeeded("alice")
    assert [throttle.begin("alice") for _ in range(3)] == [True, True, False]


def test_a_flood_of_names_is_forgotten_after_a_minute():
    throttle = Throttle(2, clock := Clock())
    for n in range(1000):
        throttle.begin(f"name{n}")
    clock.now = WINDOW_SECONDS
    throttle.begin("alice")
    assert list(throttle._begun) == ["alice"]
