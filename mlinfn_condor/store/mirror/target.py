"""The main server's side of a mirror: partitions to take the rows, and the subscription that fetches them."""

import psycopg
from psycopg import sql

from mlinfn_condor.store.errors import MirrorFailed
from mlinfn_condor.store.mirror.source import SQL


def follow_partitions(source: psycopg.Connection, target: psycopg.Connection) -> None:
    """Give the target the source's partitions, and to each table one for rows that come before the next time.

    A partition whose rows already lie in the table's default partition stays away: they are found there.
    """
    for name, parent, bounds, splits in source.execute(SQL.text("list_partitions")).fetchall():
        parts = {"partition": sql.Identifier("mlinfn", name), "parent": sql.Identifier("mlinfn", parent)}
        _create_partition(target, parts, bounds, f"PARTITION BY {splits}" if splits else "")
    for (root,) in target.execute(SQL.text("list_roots_without_default")).fetchall():
        parts = {"partition": sql.Identifier("mlinfn", f"{root}_default"), "parent": sql.Identifier("mlinfn", root)}
        _create_partition(target, parts, "DEFAULT", "")


def find(target: psycopg.Connection, subscription: str) -> tuple[str, bool] | None:
    """Its id, and whether any table follows the site; None when there is no such subscription in this database."""
    row = target.execute(SQL.text("find_subscription"), (subscription,)).fetchone()
    return (row[0], row[1]) if row else None


def subscribe(
    target: psycopg.Connection, subscription: str, publication: str, source: str, tables: sql.Composed, *, empty: bool
) -> None:
    """Enter the subscription into tables that are empty, or are emptied with it. Nothing is fetched yet.

    Raises MirrorFailed: there are rows, and nobody said that they may go.
    """
    with target.transaction():
        if empty:
            target.execute(sql.SQL(SQL.text("empty_tables")).format(tables=tables))
        elif filled := [table for table in tables if isinstance(table, sql.Identifier) and _has_rows(target, table)]:
            names = ", ".join(table.as_string(target) for table in filled)
            raise MirrorFailed(f"the main server has rows in {names}: --replace empties them and copies the site's")
        _about(target, "create_subscription", subscription, publication=publication, source=source)


def point(target: psycopg.Connection, subscription: str, source: str) -> None:
    """Let it reach the site by another DSN from now on."""
    _about(target, "point_subscription", subscription, source=source)


def follow(target: psycopg.Connection, subscription: str) -> None:
    """Copy tables that are new, and carry every change from now on. Raises psycopg.Error: it cannot reach the site."""
    _about(target, "enable_subscription", subscription)
    _about(target, "refresh_subscription", subscription)


def unsubscribe(target: psycopg.Connection, subscription: str) -> None:
    """Forget the subscription, also when the site cannot be reached. The rows stay."""
    for name in ("disable_subscription", "release_subscription", "drop_subscription"):
        _about(target, name, subscription)


def unfinished_copies(target: psycopg.Connection, subscription: str) -> int:
    """Tables whose first copy is not done."""
    row = target.execute(SQL.text("count_unfinished_copies"), (subscription,)).fetchone()
    return row[0] if row else 0


def _about(
    target: psycopg.Connection, name: str, subscription: str, *, publication: str = "", source: str = ""
) -> None:
    target.execute(
        sql.SQL(SQL.text(name)).format(
            subscription=sql.Identifier(subscription),
            slot=sql.Identifier(subscription),
            publication=sql.Identifier(publication),
            connection=sql.Literal(source),
        )
    )


def _has_rows(target: psycopg.Connection, table: sql.Identifier) -> bool:
    row = target.execute(sql.SQL(SQL.text("has_rows")).format(table=table)).fetchone()
    return bool(row and row[0])


def _create_partition(target: psycopg.Connection, parts: dict[str, sql.Identifier], bounds: str, splits: str) -> None:
    # Both are PostgreSQL's own words about a partition, from the site's catalogue.
    clauses = {"bounds": sql.SQL(bounds), "splits": sql.SQL(splits)}
    statement = sql.SQL(SQL.text("create_partition")).format(**parts, **clauses)
    try:
        target.execute(statement)
    except psycopg.errors.CheckViolation:
        return
