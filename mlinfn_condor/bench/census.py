"""Everything that a database holds, in numbers: two of them tell whether anything was written in between."""

from collections.abc import Mapping

from mlinfn_condor.store import Connection, Statements
from mlinfn_condor.store.composing import Identifier, statement

SQL = Statements("mlinfn_condor.bench")
Census = Mapping[str, tuple[object, ...]]


def census(connection: Connection) -> Census:
    """Rows of every table, by count and sum, and the catalogue by sums."""
    told: dict[str, tuple[object, ...]] = {}
    for schema, table in connection.execute(SQL.text("list_every_table")).fetchall():
        counted = statement(SQL.text("count_and_sum"), table=Identifier(schema, table))
        told[f"{schema}.{table}"] = connection.execute(counted).fetchone() or ()
    return told | {"the catalogue": connection.execute(SQL.text("sum_catalogue")).fetchone() or ()}


def differences(before: Census, after: Census) -> list[str]:
    """Where something was written."""
    return sorted(name for name in before.keys() | after.keys() if before.get(name) != after.get(name))
