"""`mlinfn hub account`: what it decides, and what it says."""

import json
from datetime import UTC, datetime, timedelta

import pytest
from typer.testing import CliRunner

from mlinfn_condor.cli import app
from mlinfn_condor.errors import BadRequest, UserError
from mlinfn_condor.hub.accounts import administration, passwords
from mlinfn_condor.hub.accounts.account import Account
from mlinfn_condor.hub.accounts.store import Store

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
KNOWN = ["alpha", "beta"]
SETTINGS = """
name = "demo"
folder = "{folder}"
[tokens]
key_file = "{folder}/sessions"
trust_domain = "demo"
[membership]
map_file = "{folder}/projects.map"
projects = ["alpha", "beta"]
"""


@pytest.mark.parametrize(
    ("days", "until", "expected"),
    [
        (None, None, None),
        (3, None, NOON + timedelta(days=3)),
        (0.5, None, NOON + timedelta(hours=12)),
        (None, "2026-12-01T18:00+00:00", NOON + timedelta(hours=6)),
        (None, "2026-12-01T18:00+01:00", NOON + timedelta(hours=5)),
    ],
)
def test_an_account_ends_when_it_was_said(days, until, expected):
    assert administration.end_of(NOON, days, until) == expected


def test_a_time_without_a_zone_is_this_machines():
    assert administration.end_of(NOON, None, "2026-12-09T18:00") == datetime(2026, 12, 9, 18).astimezone()


@pytest.mark.parametrize(
    ("days", "until", "words"),
    [
        (3, "2026-12-09T18:00", "either --days or --until"),
        (0, None, "--days 0"),
        (-1, None, "--days -1"),
        (float("nan"), None, "--days nan"),
        (1e12, None, "--days 1e"),
        (None, "tomorrow", "--until tomorrow"),
        (None, "2026-12-01T11:00+00:00", "is over already"),
    ],
)
def test_an_end_that_cannot_be_is_refused(days, until, words):
    with pytest.raises(BadRequest, match=words):
        administration.end_of(NOON, days, until)


@pytest.mark.parametrize(
    ("name", "account", "words"),
    [
        ("alice", Account(projects=("alpha",)), "there is an account alice"),
        ("Dora", Account(projects=("alpha",)), "cannot be used"),
        ("condor", Account(projects=("alpha",)), "role of this pool"),
        ("dora", Account(projects=("alpha", "gamma")), "no project gamma"),
        ("dora", Account(password="x"), "could do nothing"),
    ],
)
def test_an_account_that_cannot_be_is_refused(name, account, words):
    accounts = {"alice": Account()}
    with pytest.raises(BadRequest, match=words):
        administration.add(accounts, name, account, KNOWN)
    assert accounts == {"alice": Account()}


def test_an_end_for_a_person_who_signs_in_elsewhere_needs_no_project():
    accounts = {}
    administration.add(accounts, "dora", Account(until=NOON), KNOWN)
    assert accounts == {"dora": Account(until=NOON)}


def test_ending_does_not_move_an_earlier_end():
    accounts = {"alice": Account(until=NOON), "bob": Account()}
    for name in accounts:
        administration.end(accounts, name, NOON + timedelta(hours=1))
    assert [account.until for account in accounts.values()] == [NOON, NOON + timedelta(hours=1)]


@pytest.mark.parametrize("change", [administration.remove, lambda a, n: administration.end(a, n, NOON)])
def test_nobody_elses_account_changes_by_a_slip(change):
    with pytest.raises(BadRequest, match="no account dora"):
        change({"alice": Account()}, "dora")


@pytest.fixture
def store(tmp_path, monkeypatch):
    (file := tmp_path / "hub.toml").write_text(SETTINGS.format(folder=tmp_path))
    monkeypatch.setenv("MLINFN_HUB_SETTINGS", str(file))
    return Store(tmp_path / "accounts")


def run(*words):
    return CliRunner().invoke(app, ["hub", "account", *words], catch_exceptions=False).stdout


def test_a_new_account_signs_in_with_the_printed_password_until_its_end(store):
    said = run("add", "dora", "--project", "alpha", "--project", "beta", "--days", "3")
    account = store.read()["dora"]
    assert passwords.fits(said.split("password ")[1].strip(), account.password)
    assert account.projects == ("alpha", "beta")
    assert timedelta(days=2.9) < account.until - datetime.now(UTC) <= timedelta(days=3)


def test_who_signs_in_elsewhere_has_no_password(store):
    assert "password" not in run("add", "dora", "--elsewhere", "--days", "3")
    assert store.read()["dora"].password is None


def test_the_list_tells_no_password(store):
    password = run("add", "dora", "--project", "alpha").split("password ")[1].strip()
    for said in (run("list"), run("list", "--json")):
        assert "dora" in said
        assert password not in said
        assert "scrypt" not in said


def test_an_account_is_ended_extended_and_removed(store):
    run("add", "dora", "--project", "alpha")
    run("end", "dora")
    assert json.loads(run("list", "--json"))[0]["ended"] is True
    run("extend", "dora", "--days", "1")
    assert json.loads(run("list", "--json"))[0]["ended"] is False
    run("extend", "dora")
    assert store.read()["dora"].until is None
    run("remove", "dora")
    assert store.read() == {}


def test_without_a_hub_the_command_says_how_to_get_one(monkeypatch, tmp_path):
    monkeypatch.setenv("MLINFN_HOME", str(tmp_path))
    with pytest.raises(UserError, match="mlinfn hub up"):
        run("list")
