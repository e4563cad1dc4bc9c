"""Sign-in with a password, through the call that JupyterHub makes."""

import asyncio
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace

import pytest
from tornado.web import HTTPError

from mlinfn_condor.hub.accounts import passwords
from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.local import REFUSED, SLOWED, LocalAuthenticator
from mlinfn_condor.hub.accounts.store import Store

SECRET = "tavo-rimi-kelu-sano"
HASH = passwords.hashed(SECRET)
HOUR = timedelta(hours=1)


def now():
    return datetime.now(UTC)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path)
    with made.change() as accounts:
        accounts["alice"] = Account(password=HASH, projects=("alpha",))
        accounts["admin"] = Account(password=HASH, admin=True)
        accounts["bob"] = Account(password=HASH, until=now() - HOUR)
        accounts["carol"] = Account(projects=("alpha",), sign_in=SignIn(subject="iss#1"))
        accounts["condor"] = Account(password=HASH)
    return made


@pytest.fixture
def authenticator(store):
    return LocalAuthenticator(folder=str(store.folder))


def sign_in(authenticator, name, password=SECRET):
    return asyncio.run(authenticator.get_authenticated_user(None, {"username": name, "password": password}))


def refusal(authenticator, name, password=SECRET):
    with pytest.raises(HTTPError) as refused:
        sign_in(authenticator, name, password)
    return refused.value


@pytest.mark.parametrize(("name", "admin"), [("alice", False), ("admin", True)])
def test_the_right_password_lets_in(authenticator, name, admin):
    found = sign_in(authenticator, name)
    assert (found["name"], found["admin"], found["auth_state"]) == (name, admin, None)


@pytest.mark.parametrize(
    ("name", "password"),
    [
        ("alice", "wrong"),
        ("alice", ""),
        ("mallory", SECRET),
        ("bob", SECRET),
        ("carol", ""),
        ("condor", SECRET),
        ("ALICE", SECRET),
        (" alice", SECRET),
        ("alice\n", SECRET),
        ("../alice", SECRET),
        ("a" * 5000, SECRET),
        ("alice", "\ud800"),
    ],
)
def test_everybody_else_hears_one_and_the_same_sentence(authenticator, name, password):
    refused = refusal(authenticator, name, password)
    assert (refused.status_code, refused.log_message) == (403, REFUSED)


def test_guessing_is_slowed_even_for_the_right_password(authenticator):
    for _ in range(authenticator.failures_per_minute):
        refusal(authenticator, "alice", "wrong")
    assert refusal(authenticator, "alice").log_message == SLOWED
    assert sign_in(authenticator, "admin")


def test_guesses_made_at_once_are_slowed_too(authenticator):
    async def all_at_once():
        guess = {"username": "alice", "password": "wrong"}
        guesses = [authenticator.get_authenticated_user(None, guess) for _ in range(12)]
        return await asyncio.gather(*guesses, return_exceptions=True)

    answers = [error.log_message for error in asyncio.run(all_at_once())]
    assert (answers.count(REFUSED), answers.count(SLOWED)) == (5, 7)


def test_a_damaged_file_lets_nobody_in(authenticator, store):
    store.path.write_text("{")
    assert refusal(authenticator, "alice").status_code == 503


def refreshed(authenticator, name, *, admin=False):
    return asyncio.run(authenticator.refresh_user(SimpleNamespace(name=name, admin=admin)))


def test_who_is_signed_in_stays_so_while_his_account_lasts(authenticator, store):
    assert refreshed(authenticator, "alice") is True
    with store.change() as accounts:
        accounts["alice"] = accounts["alice"].model_copy(update={"until": now() - HOUR})
    assert refreshed(authenticator, "alice") is False


def test_who_was_removed_has_to_sign_in_again(authenticator):
    assert refreshed(authenticator, "mallory") is False


def test_rights_of_an_administrator_end_without_a_new_sign_in(authenticator):
    assert refreshed(authenticator, "alice", admin=True) == {"name": "alice", "admin": False}


def test_an_ended_account_is_not_carried_on_by_a_token_or_somebody_else(authenticator):
    assert authenticator.auth_refresh_strict
    assert authenticator.refresh_pre_spawn
    assert 0 < authenticator.auth_refresh_age <= 10
