"""The contract as any PostgREST meets it: roles, claims and policies, without a front end in between."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from fronts import as_rest
from postgres import fresh_database
from psycopg import errors

from mlinfn_condor.bench.instruments import declared, site_file
from mlinfn_condor.errors import UserError
from mlinfn_condor.ingestion import declaring
from mlinfn_condor.ingestion.settings import Column, Table, read
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Connection, connect
from mlinfn_condor.store.local import LocalServer

ISSUER = "https://iam.example.org"
GOOD = {
    "iss": ISSUER,
    "aud": ["mlinfn-ingestion", "others"],
    "sub": "s",
    "scope": "a mlinfn.ingest",
    "groups": ["radon-stations"],
}
INSERT = "INSERT INTO api.reading (station, taken_at) VALUES (1, now())"


@pytest.fixture
def stand(postgres: LocalServer, tmp_path: Path) -> Iterator[tuple[Connection, Connection, Path]]:
    """As the owner, as whoever serves, and the file."""
    with fresh_database(postgres) as dsn:
        file = site_file(tmp_path, ISSUER)
        declared(dsn, file)
        with connect(dsn, autocommit=True) as owner, connect(as_rest(dsn)) as rest:
            yield owner, rest, file


def enter(rest: Connection, claims: dict | None, **headers: str) -> None:
    rest.rollback()
    told = "" if claims is None else json.dumps(claims)
    rest.execute(SQL.text("enter"), {"timeout_ms": "30000", "claims": told, "headers": json.dumps(headers)})


def test_a_token_becomes_the_role_of_its_project_until_the_transaction_ends(stand) -> None:
    _, rest, _ = stand
    enter(rest, GOOD)
    assert rest.execute("SELECT current_user").fetchone() == ("mlinfn_project_radon",)
    assert rest.execute(INSERT + " RETURNING project, sent_by").fetchone() == ("radon", "s")
    rest.commit()
    assert rest.execute("SELECT current_user").fetchone() == ("mlinfn_rest",)
    for statement in (INSERT, "SELECT * FROM api.reading", "SELECT * FROM mlinfn_ingest.membership"):
        with pytest.raises(errors.InsufficientPrivilege):
            rest.execute(statement)
        rest.rollback()


@pytest.mark.parametrize(
    ("changed", "status"),
    [
        ({"iss": "https://other"}, "PT401"), ({"aud": "others"}, "PT401"), ({"scope": "mlinfn.ingest.not"}, "PT403"),
        ({"groups": ["nobody"]}, "PT403"), ({"groups": "radon-stations"}, "PT403"),
        ({"groups": ["everybody"]}, "PT400"),
        ({"groups": [], "role": "mlinfn_project_radon"}, "PT403"),
    ],
)  # fmt: skip
def test_claims_that_open_nothing_are_told_so(stand, changed: dict, status: str) -> None:
    _, rest, _ = stand
    with pytest.raises(errors.Error) as caught:
        enter(rest, GOOD | changed)
    assert caught.value.sqlstate == status
    with pytest.raises(errors.Error) as caught:
        enter(rest, None)
    assert caught.value.sqlstate == "PT401"


def test_policies_believe_the_claims_and_no_setting(stand) -> None:
    _, rest, _ = stand
    enter(rest, GOOD)
    rest.execute("SELECT set_config('mlinfn.project', 'muon', true)")
    with pytest.raises(errors.InsufficientPrivilege, match="row-level security"):
        rest.execute(INSERT)
    enter(rest, GOOD)
    for role in ("mlinfn_owner", "mlinfn_recorder", "mlinfn_reports"):
        with pytest.raises(errors.InsufficientPrivilege):
            rest.execute(f"SET ROLE {role}")
        enter(rest, GOOD)


def test_whoever_schedules_counts_rows_and_reads_none(stand) -> None:
    owner, rest, _ = stand
    enter(rest, GOOD)
    rest.execute(INSERT)
    rest.commit()
    owner.execute("SET ROLE mlinfn_schedules")
    everything = "SELECT mlinfn_schedule.count_new('api.reading', '1:1:', pg_current_snapshot())"
    assert owner.execute(everything).fetchone() == (1,)
    with pytest.raises(errors.InsufficientPrivilege):
        owner.execute("SELECT station FROM api.reading")


def test_a_declaration_adds_and_never_takes_away(stand) -> None:
    owner, rest, file = stand
    enter(rest, GOOD)
    rest.execute(INSERT)
    rest.commit()
    wanted = read(file)
    (reading, _) = wanted.tables
    more = reading.model_copy(
        update={"columns": reading.columns | {"humidity": Column(type="real")}, "projects": ("muon",)}
    )
    assert declaring.apply(owner, wanted.model_copy(update={"tables": (more,)}), "site") == []
    there = {each.name: each for each in declaring.tables(owner)}
    assert there["reading"].columns["humidity"] == "real"
    assert declaring.undeclared(there.values(), wanted.model_copy(update={"tables": (more,)}), "site") == ["track"]
    assert owner.execute("SELECT count(*) FROM api.reading").fetchone() == (1,)
    enter(rest, GOOD)
    with pytest.raises(errors.InsufficientPrivilege):
        rest.execute("SELECT * FROM api.reading")
    rest.rollback()
    other = more.model_copy(update={"columns": more.columns | {"note": Column(type="bigint")}})
    with pytest.raises(errors.FeatureNotSupported, match="column note of reading is text"):
        declaring.add(owner, other)
    with pytest.raises(errors.FeatureNotSupported, match="the key of reading stays"):
        declaring.add(owner, more.model_copy(update={"key": ("station",)}))
    with pytest.raises(UserError, match="reading has rows"):
        declaring.remove(owner, "reading", with_rows=False)
    declaring.remove(owner, "reading", with_rows=True)
    assert [each.name for each in declaring.tables(owner)] == ["track"]


@pytest.mark.parametrize("name", ["a; DROP TABLE api.reading", 'a"b', "Ä", "", "a" * 64, "pg_class;"])
def test_a_name_that_cannot_be_is_refused_by_the_database_too(stand, name: str) -> None:
    owner, _, _ = stand
    whole = Table(name="t", projects=("radon",), columns={"a": Column(type="text")})
    before = owner.execute("SELECT count(*) FROM pg_class").fetchone()
    typed = Column.model_construct(type=f"text {name};", unit="", optional=True)
    for bad in (
        whole.model_copy(update={"name": name}), whole.model_copy(update={"projects": (name,)}),
        whole.model_copy(update={"columns": {name: Column(type="text")}}),
        whole.model_copy(update={"columns": {"a": typed}}),
    ):  # fmt: skip
        with pytest.raises(errors.Error):
            declaring.add(owner, bad)
    assert owner.execute("SELECT count(*) FROM pg_class").fetchone() == before
