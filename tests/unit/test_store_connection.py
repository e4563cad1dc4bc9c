"""What is said when there is no way into a database, and what never is."""

import socket

import pytest

from mlinfn_condor.settings import Settings
from mlinfn_condor.store import StoreUnreachable, connect, dsn_of_site
from mlinfn_condor.store.connection import environment, place


def test_a_server_that_is_down_is_one_line_with_the_cure_and_no_password() -> None:
    with socket.socket() as taken:  # Bound and not listening: connections are refused, and nobody else gets the port.
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(StoreUnreachable) as caught:
            connect(f"postgresql://carol:hush@127.0.0.1:{port}/pool")
    said = str(caught.value)
    assert f"database pool at 127.0.0.1:{port} as carol" in said
    assert "Connection refused" in said
    assert "mlinfn db status" in said
    assert "\n" not in said
    assert "hush" not in said


@pytest.mark.parametrize("dsn", ["nonsense", "postgresql://host/?colour=red", "mysql://host/base"])
def test_what_is_no_dsn_says_how_one_is_written(dsn: str) -> None:
    with pytest.raises(StoreUnreachable, match="postgresql://user@host:port/database"):
        connect(dsn)


@pytest.mark.parametrize(
    ("dsn", "shown"),
    [
        ("postgresql://bob:hush@db.example:6000/pool", "database pool at db.example:6000 as bob"),
        ("host=/run/pg port=5432 dbname=pool", "database pool at /run/pg"),
        ("dbname=pool", "database pool at the local PostgreSQL"),
    ],
)
def test_a_database_is_shown_without_its_password(dsn: str, shown: str) -> None:
    assert place(dsn) == shown


def test_psql_gets_the_password_by_its_environment() -> None:
    assert environment("postgresql://bob:hush@db/pool?sslmode=require") == {
        "PGUSER": "bob",
        "PGPASSWORD": "hush",
        "PGHOST": "db",
        "PGDATABASE": "pool",
        "PGSSLMODE": "require",
    }


def test_a_dsn_is_taken_from_the_argument_then_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MLINFN_DATABASE", "dbname=of_the_site")
    assert dsn_of_site("dbname=explicit") == "dbname=explicit"
    assert dsn_of_site(role="mlinfn_reports") == "dbname=of_the_site"


def test_without_any_database_the_cure_is_named(tmp_path) -> None:
    with pytest.raises(StoreUnreachable, match="`mlinfn db up`"):
        dsn_of_site(settings=Settings(home=tmp_path))
