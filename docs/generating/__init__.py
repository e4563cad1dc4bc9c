"""Sphinx extension: fills the pages of reference from the code, when they are read.

A page says where with a line `<!-- made from the code: NAME -->`; NAME is a module of this folder, whose `page()` gives
Markdown. Nothing that is made lies in the repository, so nothing there can differ from the code.
"""

import re
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sphinx.application import Sphinx

MARK = re.compile(r"^<!-- made from the code: ([a-z_]+) -->$", re.MULTILINE)
ELSEWHERE = {
    "../examples/radon/README.md": "examples/radon.md",
}
"""Files outside of docs/ that pages link to, and the page that shows them."""


def filled(text: str) -> str:
    """The page with what is made in place of its marks. Raises ModuleNotFoundError for a mark that nobody makes."""
    return MARK.sub(lambda mark: import_module(f"generating.{mark[1]}").page(), text)


def _read(app: "Sphinx", name: str, source: list[str]) -> None:
    text = filled(source[0])
    if name not in {page.removesuffix(".md") for page in ELSEWHERE.values()}:
        for there, here in ELSEWHERE.items():
            text = text.replace(f"]({there})", f"]({here})")
    source[0] = text


def setup(app: "Sphinx") -> dict[str, Any]:
    """As Sphinx calls it."""
    app.connect("source-read", _read)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
