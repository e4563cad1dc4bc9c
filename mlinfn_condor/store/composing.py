"""Statements whose names are known only at run time: each part is quoted by the driver, never by us."""

from collections.abc import Iterable

from psycopg.sql import SQL, Composable, Composed, Identifier, Literal

__all__ = ["Composable", "Composed", "Identifier", "Literal", "Text", "joined", "statement"]


def Text(text: str) -> SQL:  # noqa: N802 - it stands for a class
    """SQL as it is: only ever a text of the program's own, or a type's name from PostgreSQL's catalogue."""
    return SQL(text)


def joined(by: str, parts: Iterable[Composable]) -> Composed:
    """The parts, with `by` between them."""
    return Text(by).join(parts)


def statement(text: str, **parts: Composable) -> Composed:
    """A statement's file with its `{names}` filled in."""
    return Text(text).format(**parts)
