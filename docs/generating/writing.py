"""Markdown of what was made: tables whose cells are plain text, with code between backticks."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")
_ACTIVE = re.compile(r"([\\*_<>\[\]{}$~#|])")


def plain(text: str) -> str:
    """The text in one line; nothing in it is Markdown but code between backticks."""
    parts = _CODE.split(" ".join(text.split()))
    return "".join(_in_cell(part) if part.startswith("`") else _ACTIVE.sub(r"\\\1", part) for part in parts)


def code(text: str) -> str:
    """As code, in a table too; nothing for nothing."""
    return _in_cell(f"`{' '.join(text.split())}`") if text else ""


def _in_cell(text: str) -> str:
    return text.replace("|", "\\|")


def table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Rows of cells that are Markdown already; without rows nothing."""
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    if not lines:
        return ""
    return "\n".join(["| " + " | ".join(heads) + " |", "|" + "---|" * len(heads), *lines]) + "\n"


def page(parts: Iterable[str]) -> str:
    """Paragraphs, an empty line between them."""
    return "\n\n".join(part.strip("\n") for part in parts if part.strip())
