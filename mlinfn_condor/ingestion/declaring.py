"""What a site declares, made so in the database: whose tokens, which groups, which tables. Rows are never touched."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from mlinfn_condor.errors import UserError
from mlinfn_condor.ingestion.settings import Ingestion, Table
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Connection
from mlinfn_condor.store.composing import Identifier, statement


@dataclass(frozen=True)
class Declared:
    """A table that is there."""

    name: str
    projects: list[str]
    key: list[str]
    retention_days: int | None
    units: dict[str, str]
    declared_in: str
    about: int
    """Rows, as PostgreSQL last counted them."""
    size_bytes: int
    columns: dict[str, str]


def apply(connection: Connection, wanted: Ingestion, declared_in: str) -> list[str]:
    """All of it or nothing; the names of tables that are new. Raises psycopg's Error."""
    with connection.transaction():
        provider = wanted.model_dump(include={"issuer", "audience", "scope", "groups_claim"})
        connection.execute(SQL.text("write_provider"), provider)
        connection.execute(SQL.text("forget_memberships"))
        for project in dict.fromkeys(project for _, project in wanted.memberships):
            connection.execute(SQL.text("add_project"), {"project": project})
        for group, project in dict.fromkeys(wanted.memberships):
            connection.execute(SQL.text("add_membership"), {"group": group, "project": project})
        return [table.name for table in wanted.tables if add(connection, table, declared_in)]


def add(connection: Connection, table: Table, declared_in: str = "") -> bool:
    """Make a table, or bring it up to this; whether it is new. Raises psycopg's Error."""
    columns = [{"name": name, **column.model_dump()} for name, column in table.columns.items()]
    values: dict[str, Any] = {
        "name": table.name, "projects": list(table.projects), "columns": json.dumps(columns), "key": list(table.key),
        "retention_days": table.retention_days, "declared_in": declared_in,
    }  # fmt: skip
    found = connection.execute(SQL.text("declare_table"), values).fetchone()
    return bool(found and found[0])


def tables(connection: Connection) -> list[Declared]:
    """Those that there are, by name."""
    return [Declared(*row) for row in connection.execute(SQL.text("list_tables"))]


def undeclared(there: Iterable[Declared], wanted: Ingestion, declared_in: str) -> list[str]:
    """Tables that this file once declared and now does not; they and their rows stay until somebody removes them."""
    names = {table.name for table in wanted.tables}
    return [table.name for table in there if table.declared_in == declared_in and table.name not in names]


def remove(connection: Connection, name: str, *, with_rows: bool) -> None:
    """Offer it no more. Raises UserError: there is none, or it has rows and nobody said that they may go."""
    if name not in {table.name for table in tables(connection)}:
        raise UserError(f"there is no table {name}: `mlinfn ingest table list` has those that there are")
    table = Identifier(name)
    with connection.transaction():
        has_rows = connection.execute(statement(SQL.text("has_rows"), table=table)).fetchone()
        if has_rows and has_rows[0] and not with_rows:
            raise UserError(f"{name} has rows: say --with-rows if they may go for ever")
        connection.execute(statement(SQL.text("drop_table"), table=table))
        connection.execute(SQL.text("forget_table"), {"name": name})
