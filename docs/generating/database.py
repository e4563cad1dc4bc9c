"""Tables, views and functions of the database, from the files that make them; a test holds it to a real one."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import mlinfn_condor.store
from generating import writing

STORE = Path(mlinfn_condor.store.__file__).parent
SCHEMAS = {
    "mlinfn": "What ran, what was granted, what was measured, and the sums of it.",
    "mlinfn_schedule": "Schedules and their runs: docs/services.md.",
    "mlinfn_identity": "People, projects and their numbers: docs/hub.md.",
    "mlinfn_ingest": "Who may write what from outside; the tables themselves are in schema `api`: docs/ingestion.md.",
}
_TABLE = re.compile(
    r"^ *CREATE TABLE (\w+\.\w+) \(\n(.*?)^ *\)( PARTITION BY RANGE \((\w+)\))?;", re.MULTILINE | re.DOTALL
)
_LIKE = re.compile(r"^CREATE TABLE (\w+\.\w+) \(LIKE (\w+\.\w+)[^)]*\);", re.MULTILINE)
_RENAMED = re.compile(r"^ALTER TABLE (\w+\.\w+) RENAME COLUMN (\w+) TO (\w+);", re.MULTILINE)
_ADDED = re.compile(r"^ALTER TABLE (\w+\.\w+) ADD COLUMN (\w+) (.+?);", re.MULTILINE)
_VIEW = re.compile(r"^CREATE VIEW (\w+\.\w+) AS", re.MULTILINE)
_FUNCTION = re.compile(r"^CREATE FUNCTION (\w+\.\w+)\((.*?)\)\s+RETURNS\s+(TABLE|[\w. ]+?)\s", re.MULTILINE | re.DOTALL)
_COMMENT = re.compile(
    r"^ *COMMENT ON (TABLE|VIEW|COLUMN|FUNCTION) ([\w.]+)(?:\(([^)]*)\))? IS\s+'((?:[^']|'')*)';", re.MULTILINE
)
_COLUMN = re.compile(
    r"^ +([a-z_0-9]+) (.+?)(?: NOT NULL| PRIMARY KEY| DEFAULT| REFERENCES| CHECK| UNIQUE|,?$)", re.MULTILINE
)


@dataclass
class Relation:
    """A table or a view."""

    kind: str
    columns: dict[str, str] = field(default_factory=dict)
    """Types. A view's columns are those that say what they are, and have the types of what they are taken from."""
    said: str = ""
    of_columns: dict[str, str] = field(default_factory=dict)
    by: str = ""
    """Column that it is parted by."""


def relations() -> dict[str, Relation]:
    """By name, schema first, in the order in which they are made. Partitions are none of their own."""
    text = _text()
    found = {name: Relation("table", dict(_columns(body)), by=by) for name, body, _, by in _TABLE.findall(text)}
    for name, model in _LIKE.findall(text):
        found[name] = Relation("table", dict(found[model].columns))
    for name, column, kind in _ADDED.findall(text):
        found[name].columns |= dict(_columns(f" {column} {kind}"))
    for name, old, new in _RENAMED.findall(text):
        found[name].columns = {new if column == old else column: kind for column, kind in found[name].columns.items()}
    found |= {name: Relation("view") for name in _VIEW.findall(text)}
    for what, name, _, said in _COMMENT.findall(text):
        if what in ("TABLE", "VIEW"):
            found[name].said = _unquoted(said)
        elif what == "COLUMN":
            of, _, column = name.rpartition(".")
            found[of].of_columns[column] = _unquoted(said)
            if found[of].kind == "view":
                found[of].columns[column] = ""
    return found


def functions() -> dict[str, str]:
    """What functions that somebody may call say of themselves, by name and parameters; others say nothing."""
    text = _text()
    made = [(found.start(), found[1], " ".join(found[2].split())) for found in _FUNCTION.finditer(text)]
    told = {}
    for comment in _COMMENT.finditer(text):
        if comment[1] == "FUNCTION":  # of several of one name, that before it
            name, given = [(name, given) for at, name, given in made if name == comment[2] and at < comment.start()][-1]
            told[f"{name}({given})"] = _unquoted(comment[4])
    return told


def page() -> str:
    """A part for each schema."""
    told, called = relations(), functions()
    return writing.page(part for schema, said in SCHEMAS.items() for part in _schema(schema, said, told, called))


def _schema(schema: str, said: str, told: dict[str, Relation], called: dict[str, str]) -> Iterator[str]:
    yield f"## Schema {schema}"
    yield writing.plain(said)
    for name, one in told.items():
        if name.startswith(f"{schema}."):
            yield f"### {name}"
            parted = f" Parted by month of `{one.by}`." if one.by else ""
            yield f"A {one.kind}. {writing.plain(one.said)}{'' if one.said.endswith('.') else '.'}{parted}"
            yield _columns_of(one)
    mine = {name: words for name, words in called.items() if name.startswith(f"{schema}.")}
    if mine:
        yield f"### Functions of {schema}"
        yield writing.table(
            ("function", "what it gives"), [(writing.code(name), writing.plain(words)) for name, words in mine.items()]
        )


def _columns_of(one: Relation) -> str:
    rows = [
        (writing.code(column), writing.code(kind), writing.plain(one.of_columns.get(column, "")))
        for column, kind in one.columns.items()
    ]
    if one.kind == "view":
        return writing.table(("column", "meaning"), [(column, meaning) for column, _, meaning in rows])
    return writing.table(("column", "type", "meaning"), rows)


def _text() -> str:
    files = [STORE / "sql" / "create_migration_table.sql", *sorted((STORE / "migrations").glob("*.sql"))]
    return "\n".join(file.read_text() for file in files)


def _columns(body: str) -> Iterator[tuple[str, str]]:
    for line in body.splitlines():
        if column := _COLUMN.match(line.rstrip()):
            yield column[1], column[2].rstrip(",")


def _unquoted(text: str) -> str:
    return text.replace("''", "'")
