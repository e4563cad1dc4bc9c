"""Markdown of what was made: tables whose cells are plain text, with code between backticks."""

import re
from collections.abc import Iterable, Sequence

_CODE = re.compile(r"(`+[^`]*`+)")
_PAGE = re.compile(r"\bdocs/([\w/-]+\.md)((?:#[\w-]+)?)")
_ACTIVE = re.compile(r"([\\*_<>\[\]{}$~#|])")


def plain(text: str) -> str:
    """The text in one line; nothing in it is Markdown but code. Names of pages are links, as `reference/` sees them."""
    return "".join(_part(part) for part in _CODE.split(" ".join(text.split())))


def _part(text: str) -> str:
    if text.startswith("`"):
        return _in_cell(text)
    told, after = [], 0
    for page in _PAGE.finditer(text):
        told += [_ACTIVE.sub(r"\\\1", text[after : page.start()]), f"[{page[1]}](../{page[1]}{page[2]})"]
        after = page.end()
    return "".join([*told, _ACTIVE.sub(r"\\\1", text[after:])])


def code(text: str) -> str:
    """As code, in a table too; nothing for nothing."""
    return _in_cell(f"`{' '.join(text.split())}`") if text else ""


def codes(texts: Iterable[str]) -> str:
    """Each once, in their order."""
    return ", ".join(code(text) for text in dict.fromkeys(texts))


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
