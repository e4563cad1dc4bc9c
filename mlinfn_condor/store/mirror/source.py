"""The site's side of a mirror: what is published, and the slot that keeps changes until the main server has them."""

import re
from contextlib import suppress
from dataclasses import dataclass

import psycopg
from psycopg import sql
from psycopg.rows import class_row

from mlinfn_condor.store.errors import MirrorFailed
from mlinfn_condor.store.statements import Statements

SQL = Statements("mlinfn_condor.store")
LOST = "lost"
DROP_TRIES = 10


@dataclass(frozen=True)
class Mirror:
    """One mirror, as the site's server sees it."""

    slot: str
    active: bool
    """The main server is connected."""
    wal_status: str
    behind_bytes: int
    """Of the log of changes that the main server has not yet confirmed."""
    kept_bytes: int
    """Of this disk that the log takes because of it."""

    def warning(self, free_bytes: int | None = None) -> str | None:
        """What somebody should do something about; `free_bytes` of the disk, None when nobody knows."""
        if self.wal_status == LOST:
            return f"mirror {self.slot} lost changes: take it down with --remove and set it up again with --replace"
        if self.active:
            return None
        room = "" if free_bytes is None else f", {megabytes(free_bytes)} are free"
        return (
            f"mirror {self.slot} is away: nothing is lost, {megabytes(self.kept_bytes)} are kept for it{room}; "
            "if it never comes back: mlinfn db mirror --remove"
        )


def megabytes(amount: int) -> str:
    """Bytes for a person."""
    return f"{amount / 2**20:,.0f} MB" if amount >= 2**20 else f"{amount / 2**10:,.0f} kB"


def slot_name(site: str) -> str:
    """The name of slot and subscription. Raises MirrorFailed: no name of a site."""
    if not re.fullmatch(r"[a-z][a-z0-9_-]{0,31}", site):
        raise MirrorFailed(f"{site!r} is no name of a site: a small letter, then small letters, digits, _ and -")
    return f"mlinfn_{site.replace('-', '_')}"


def mirrors(connection: psycopg.Connection) -> list[Mirror]:
    """The mirrors of the site's database that this connection leads to."""
    with connection.cursor(row_factory=class_row(Mirror)) as cursor:
        return cursor.execute(SQL.text("list_mirrors")).fetchall()


def tables(connection: psycopg.Connection) -> sql.Composed:
    """What is mirrored, as a list for statements. Raises MirrorFailed: a table whose rows cannot be told apart."""
    found = connection.execute(SQL.text("list_mirrored_tables")).fetchall()
    if not found:
        raise MirrorFailed("the site's database has no tables yet: `mlinfn db migrate` first")
    if blind := [name for name, has_identity in found if not has_identity]:
        raise MirrorFailed(f"tables without a primary key cannot be mirrored: {', '.join(blind)}")
    return sql.SQL(", ").join(sql.Identifier("mlinfn", name) for name, _ in found)


def publish(connection: psycopg.Connection, publication: str) -> None:
    """Publish every table, those too that came since the last time."""
    exists = connection.execute(SQL.text("find_publication"), (publication,)).fetchone()
    statement = SQL.text("alter_publication" if exists else "create_publication")
    connection.execute(sql.SQL(statement).format(publication=sql.Identifier(publication), tables=tables(connection)))


def slot_status(connection: psycopg.Connection, slot: str) -> str | None:
    """Whether the server still has all changes since the slot was made (not `lost`); None: there is no such slot."""
    row = connection.execute(SQL.text("find_slot"), (slot,)).fetchone()
    return row[0] if row else None


def create_slot(connection: psycopg.Connection, slot: str) -> None:
    """From now on every change is kept until it is confirmed."""
    connection.execute(SQL.text("create_slot"), (slot,))


def withdraw(connection: psycopg.Connection, publication: str, slot: str, subscription_id: str | None) -> bool:
    """Drop slots and publication; False if there was no slot."""
    dropped = _drop_slots(connection, {"slot": slot, "subscription": subscription_id or ""})
    connection.execute(sql.SQL(SQL.text("drop_publication")).format(publication=sql.Identifier(publication)))
    return dropped > 0


def _drop_slots(connection: psycopg.Connection, which: dict[str, str]) -> int:
    """A main server that still follows comes back as soon as it was sent away; of several goes we win one."""
    for _ in range(DROP_TRIES - 1):
        with suppress(psycopg.errors.ObjectInUse), connection.transaction():
            return connection.execute(SQL.text("drop_slots"), which).rowcount
    return connection.execute(SQL.text("drop_slots"), which).rowcount
