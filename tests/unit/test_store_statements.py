"""SQL by name."""

import pytest

from mlinfn_condor.store.statements import Statements, UnknownStatement

STATEMENTS = Statements("mlinfn_condor.store")


def test_a_statement_is_the_text_of_its_file() -> None:
    assert "pg_advisory_lock" in STATEMENTS.text("lock_migrations")
    assert STATEMENTS.text("lock_migrations") is STATEMENTS.text("lock_migrations")


@pytest.mark.parametrize("name", ["lock_nothing", "../migrating", "lock_migrations.sql", ""])
def test_an_unknown_name_says_which_there_are(name: str) -> None:
    with pytest.raises(UnknownStatement, match=r"mlinfn_condor.store has no sql/.*; it has .*lock_migrations"):
        STATEMENTS.text(name)


def test_a_package_without_statements_says_so() -> None:
    with pytest.raises(UnknownStatement, match="it has none"):
        Statements("mlinfn_condor.pool").text("anything")
