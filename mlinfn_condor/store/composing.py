"""Statements whose names are known only at run time: each part is quoted by the driver, never by us."""

from collections.abc import Iterable
from typing import cast

from psycopg.sql import SQL, Composable, Identifier, Literal

__all__ = ["Composable", "Identifier", "Literal", "Text", "joined", "statement"]


def Text(text: str) -> SQL:  # noqa: N802 - it stands for a class
    """SQL as it is: only ever a text of the program's own, or a type's name from PostgreSQL's catalogue."""
    return SQL(text)  # type: ignore[arg-type] # literal texts are what the docstring asks for


def joined(by: str, parts: Iterable[Composable]) -> Composable:
    """The parts, with `by` between them."""
    return Text(by).join(parts)


def statement(text: str, **parts: Composable) -> Composable:
    """A statement's file with its `{names}` filled in."""
    return cast("Composable", Text(text).format(**parts))
