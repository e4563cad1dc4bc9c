"""Joiners and leavers as the accounts service sees them: numbers, void tokens, jobs, and a register that is away."""

from datetime import UTC, datetime, timedelta

import pytest

from mlinfn_condor.hub.accounts.account import Account, SignIn
from mlinfn_condor.hub.accounts.enrolment import Enrolment
from mlinfn_condor.hub.accounts.openid import former_name
from mlinfn_condor.hub.accounts.revocation import COLLECTOR, Revocation, render, void
from mlinfn_condor.hub.accounts.seals import Seals
from mlinfn_condor.hub.accounts.steward import Steward
from mlinfn_condor.hub.accounts.store import Store
from mlinfn_condor.hub.tokens import Issuer
from mlinfn_condor.identity.deciding import declare, set_site
from mlinfn_condor.identity.people import Site, Wish
from mlinfn_condor.identity.register import TwinRegister
from mlinfn_condor.pool.protocol import ACCESS_POINTS
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.store import StoreUnreachable

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)
ALPHA = Account(projects=("alpha",))
JOB = '+PriorityClass = "batch"\nexecutable = /bin/sleep\nqueue\n'


class NoHub:
    """A hub that nobody is in."""

    def sessions(self):
        return []

    def users(self):
        return {}


class Away(TwinRegister):
    """A register whose database does not answer while `away`."""

    away = False

    def change(self, decide):
        if self.away:
            raise StoreUnreachable("no way into the database")
        return super().change(decide)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "accounts")
    with made.change() as accounts:
        accounts |= {"alice": ALPHA, "bob": Account(projects=("beta",), until=LATER), "admin": Account(admin=True)}
    return made


@pytest.fixture
def register():
    made = Away()
    made.change(lambda people: set_site(people, Site(20000, 20099, keep_days=30)))
    return made


@pytest.fixture
def pool():
    return TwinPool(user="admin")


@pytest.fixture
def steward(store, register, pool, tmp_path):
    enrolment = Enrolment(store, register, tmp_path / "people", lambda name: f"/home/{name}")
    maps = {"map_file": tmp_path / "projects.map", "leavers_map": tmp_path / "leavers.map"}
    return Steward(store, NoHub(), lambda: pool, projects=["alpha", "beta"], enrolment=enrolment, **maps)


def a_round(steward, now):
    steward.enrol(now)
    steward.tell_the_pool(now)
    steward.revoke_tokens(now)
    steward.remove_jobs(now)


def stamp(moment):
    return int(moment.timestamp())


def test_a_joiner_has_a_number_a_line_in_the_pods_tables_and_a_project_at_once(steward, tmp_path):
    a_round(steward, NOON)
    assert "alice:x:20000:20000::/home/alice:/bin/bash\n" in (tmp_path / "people" / "passwd").read_text()
    assert (tmp_path / "people" / "group").read_text().count("alice") == 2
    assert "* alice alpha\n" in (tmp_path / "projects.map").read_text()
    assert (tmp_path / "leavers.map").read_text() == ""


def test_roles_are_no_people(steward, tmp_path):
    a_round(steward, NOON)
    assert "admin" not in (tmp_path / "people" / "passwd").read_text()


def test_a_leavers_tokens_are_void_his_shell_is_gone_and_his_data_have_their_date(steward, register, tmp_path):
    a_round(steward, NOON)
    a_round(steward, LATER)
    assert (tmp_path / "leavers.map").read_text() == f"* bob {stamp(LATER)}\n"
    assert "bob" not in (tmp_path / "projects.map").read_text()
    assert "bob:x:20001:20001::/home/bob:/usr/sbin/nologin" in (tmp_path / "people" / "passwd").read_text()
    people = register.people()
    assert [(one.name, people.deletable(one)) for one in people.leavers] == [("bob", LATER + timedelta(days=30))]


def test_who_is_extended_is_good_again_with_the_tokens_he_has(steward, store, register, tmp_path):
    a_round(steward, LATER)
    with store.change() as accounts:
        accounts["bob"] = Account(projects=("beta",))
    register.away = True  # nor does it wait for the register
    with pytest.raises(StoreUnreachable):
        steward.enrol(LATER)
    steward.revoke_tokens(LATER)
    assert (tmp_path / "leavers.map").read_text() == ""


def test_who_has_a_removed_name_later_has_newer_tokens_and_the_old_ones_stay_void(steward, store, tmp_path):
    with store.change() as accounts:
        del accounts["alice"]
    a_round(steward, NOON)
    said = (tmp_path / "leavers.map").read_text()
    assert said.startswith("* alice ")
    with store.change() as accounts:
        accounts["alice"] = Account(projects=("beta",))
    a_round(steward, NOON)
    assert (tmp_path / "leavers.map").read_text() == said


def test_taking_rights_away_waits_for_no_register(steward, store, register, tmp_path):
    a_round(steward, NOON)
    register.away = True
    with pytest.raises(StoreUnreachable):
        steward.enrol(LATER)
    steward.tell_the_pool(LATER)
    steward.revoke_tokens(LATER)
    assert "bob" not in (tmp_path / "projects.map").read_text()
    assert (tmp_path / "leavers.map").read_text() == f"* bob {stamp(LATER)}\n"


def test_people_of_a_file_are_members_and_leave_with_it(steward, register, pool, tmp_path):
    register.change(lambda people: declare(people, "file:x", [Wish("fay", ("beta",))], NOON))
    a_round(steward, NOON)
    assert "* fay beta\n" in (tmp_path / "projects.map").read_text()
    pool.user = "fay"
    job = pool.submit(JOB, "batch@")
    pool.user = "admin"
    register.change(lambda people: declare(people, "file:x", [], LATER))
    a_round(steward, LATER)
    assert "fay" not in (tmp_path / "projects.map").read_text()
    assert f"* fay {stamp(LATER)}\n" in (tmp_path / "leavers.map").read_text()
    assert pool.jobs(job.constraint) == []


def test_who_was_removed_while_the_service_was_down_loses_his_jobs_all_the_same(store, pool, tmp_path):
    pool.user = "alice"
    job = pool.submit(JOB, "batch@")
    pool.user = "admin"
    with store.change() as accounts:
        del accounts["alice"]
    started_later = Steward(store, NoHub(), lambda: pool, tmp_path / "projects.map", ["alpha"])
    started_later.remove_jobs(NOON)
    assert pool.jobs(job.constraint) == []


def test_the_list_of_tokens_is_of_members_alone_and_for_daemons_alone(store, register, pool, tmp_path):
    (key := tmp_path / "sessions").write_bytes(bytes(range(64)))
    issuer, path = Issuer(key, "pool"), tmp_path / "people-tokens.map"
    seals = Seals(path, issuer)
    steward = Steward(store, NoHub(), lambda: pool, tmp_path / "projects.map", ["alpha", "beta"], seals=seals)
    a_round(steward, NOON)
    assert path.read_text() == issuer.listed("alice") + issuer.listed("bob")
    assert path.stat().st_mode & 0o777 == 0o600
    told = len(pool.reconfigured)
    a_round(steward, NOON)
    assert len(pool.reconfigured) == told
    a_round(steward, LATER)
    assert path.read_text() == issuer.listed("alice")
    assert "collector" in pool.reconfigured[told:]
    key.unlink()
    a_round(steward, LATER)
    assert path.read_text() == ""


def test_a_role_is_never_revoked_whatever_the_accounts_say():
    accounts = {"admin": Account(admin=True, until=NOON), "dora": Account(until=NOON)}
    assert void(accounts, {"condor": 1, "hub": 1, "glidein": 1, "x\n* admin": 1}, LATER) == {"dora": stamp(NOON)}


def test_each_daemon_hears_of_a_change_once_and_one_that_did_not_again(tmp_path, pool):
    revocation = Revocation(tmp_path / "leavers.map", lambda: pool)
    for _ in range(2):
        revocation.tell({"dora": 7})
    assert pool.reconfigured == [*ACCESS_POINTS, "collector"]
    assert (tmp_path / "leavers.map").read_text() == render({"dora": 7}) == "* dora 7\n"
    assert COLLECTOR not in ACCESS_POINTS
    revocation.tell({"dora": 7}, "a list of tokens")  # access points heard of that one with the map of projects
    assert pool.reconfigured == [*ACCESS_POINTS, "collector", "collector"]


def test_who_renames_himself_at_the_provider_does_not_leave_the_end_of_his_account_behind():
    was = SignIn(subject="iam#1", projects=("alpha",))
    accounts = {"dora": Account(sign_in=was, until=NOON), "emil": Account(sign_in=SignIn(subject="iam#2"))}
    assert former_name(accounts, "dorothea", was) == "dora"
    assert former_name(accounts, "dora", was) is None
    assert former_name(accounts, "fay", SignIn(subject="iam#3")) is None
