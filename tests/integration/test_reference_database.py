"""The page of tables and views has what a real database has after all migrations."""

import sys
from pathlib import Path

import pytest

from mlinfn_condor.store import connect, migrate

sys.path.insert(0, str(Path(__file__).parents[2] / "docs"))

from generating import database as reference

COLUMNS = """
SELECT c.oid::regclass::text, a.attname, format_type(a.atttypid, a.atttypmod),
    coalesce(col_description(c.oid, a.attnum), ''), coalesce(obj_description(c.oid), ''), c.relkind::text
FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
WHERE c.relkind IN ('r', 'p', 'v') AND NOT c.relispartition
    AND c.relnamespace::regnamespace::text IN ('mlinfn', 'mlinfn_schedule', 'mlinfn_identity', 'mlinfn_ingest')
ORDER BY c.oid, a.attnum
"""
FUNCTIONS = """
SELECT format('%s.%s', pronamespace::regnamespace, proname), obj_description(oid) FROM pg_proc
WHERE pronamespace::regnamespace::text LIKE 'mlinfn%' AND obj_description(oid) IS NOT NULL
"""
SPELT_OUT = "timestamp with time zone"


@pytest.fixture
def columns(database):
    migrate(database)
    with connect(database) as connection:
        yield connection.execute(COLUMNS).fetchall(), connection.execute(FUNCTIONS).fetchall()


def test_tables_views_columns_and_what_they_say_of_themselves_are_those_of_the_database(columns):
    rows, functions = columns
    found: dict[str, dict[str, str]] = {}
    for relation, column, _, said, about, _ in rows:
        found.setdefault(relation, {"": about})[column] = said
    told = {
        name: {"": one.said} | {column: one.of_columns.get(column, "") for column in one.columns}
        for name, one in reference.relations().items()
    }
    assert told == found
    assert {name: [*columns] for name, columns in told.items()} == {name: [*columns] for name, columns in found.items()}
    assert sorted(words for _, words in functions) == sorted(reference.functions().values())


def test_no_table_view_or_column_of_the_reference_is_silent(columns):
    rows, _ = columns
    told = reference.relations()
    assert {(name, column) for name, column, _, said, *_ in rows if name in told and not said} == set()
    assert {name for name, _, _, _, about, _ in rows if name in told and not about} == set()


def test_types_are_those_of_the_database(columns):
    rows, _ = columns
    kinds = {(relation, column): kind for relation, column, kind, *_, relkind in rows if relkind != "v"}
    told = {
        (name, column): kind
        for name, one in reference.relations().items()
        if one.kind == "table"
        for column, kind in one.columns.items()
    }
    plain = {key: kind.split(" GENERATED")[0].replace("timestamptz", SPELT_OUT) for key, kind in told.items()}
    assert plain == kinds
