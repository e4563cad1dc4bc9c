"""The register of people, the real one in PostgreSQL and its twin in memory: the same promises."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from postgres import database, postgres  # noqa: F401 - fixtures

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity.database import DatabaseRegister
from mlinfn_condor.identity.deciding import declare, release, set_site
from mlinfn_condor.identity.people import Site, Wish
from mlinfn_condor.identity.register import Register, TwinRegister
from mlinfn_condor.store import StoreUnreachable, migrate

NOON = datetime(2026, 12, 1, 12, tzinfo=UTC)
SITE = Site(20000, 20099, keep_days=30)
DORA = Wish("dora", ("beta", "alpha"), "iam#1")


@pytest.fixture(params=["twin", "database"])
def register(request: pytest.FixtureRequest) -> Register:
    if request.param == "twin":
        made: Register = TwinRegister()
    else:
        dsn = request.getfixturevalue("database")
        migrate(dsn)
        made = DatabaseRegister(dsn)
    assert made.people().site is None
    made.change(lambda people: set_site(people, SITE))
    return made


def declared(register: Register, source: str, *wishes: Wish, now: datetime = NOON):
    return register.change(lambda people: declare(people, source, wishes, now))


def test_what_was_written_is_read_again_whole(register):
    declared(register, "hub", DORA)
    declared(register, "file:x", Wish("emil", ("gamma",)), Wish("dora", ("gamma",)))
    now, changes = declared(register, "hub", Wish("dorothea", ("alpha",), "iam#1"))
    assert changes.refusals == ()
    assert register.people() == now
    dora = next(person for person in now.persons if person.name == "dorothea")
    assert dora.standings == {"hub": ("alpha",), "file:x": ("gamma",)}
    assert now.former == {dora.uid: {"dora"}}
    assert now.site == SITE


def test_the_same_again_writes_nothing(register):
    before, _ = declared(register, "hub", DORA)
    again, changes = declared(register, "hub", DORA, now=NOON + timedelta(days=1))
    assert (again, bool(changes)) == (before, False)


def test_a_leaver_is_kept_and_released_and_his_name_is_anothers_then(register):
    declared(register, "hub", DORA)
    left, _ = declared(register, "hub")
    assert [person.left for person in left.leavers] == [NOON]
    later = NOON + timedelta(days=30)
    register.change(lambda people: release(people, "dora", later))
    now, _ = declared(register, "hub", Wish("dora", (), "iam#2"), now=later)
    assert register.people() == now
    assert len({person.uid for person in now.persons}) == 2


def test_a_decision_that_fails_leaves_everything_as_it_was(register):
    before, _ = declared(register, "hub", DORA)
    with pytest.raises(BadRequest):
        register.change(lambda people: release(people, "dora", NOON))
    assert register.people() == before


def test_many_at_once_give_no_number_twice(register):
    with ThreadPoolExecutor(4) as several:
        list(several.map(lambda n: declared(register, f"file:{n}", Wish(f"p{n}"), Wish(f"q{n}")), range(8)))
    people = register.people()
    assert sorted(person.uid for person in people.persons) == list(range(20000, 20016))


def test_a_database_that_does_not_answer_is_told_in_words():
    with pytest.raises(StoreUnreachable, match="no way into"):
        DatabaseRegister("postgresql://nobody@127.0.0.1:1/none").people()
