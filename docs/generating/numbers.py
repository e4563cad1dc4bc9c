"""Numbers and short lists of the policy: what stands above each in its file, with the unit and the reason."""

import re
from collections.abc import Iterator

from generating import writing
from generating.configuration import folders

FILES = ("00-state-the-numbers.conf", "00-state-the-numbers-of-glideins.conf")
_NUMBER = re.compile(r"(MLINFN_\w+) *=(.*)")
_SECTION = re.compile(r"# --- (.+?) -+")


def page() -> str:
    """A table for each section of the files."""
    files = [folder / name for folder in folders().values() for name in FILES if (folder / name).exists()]
    return writing.page(part for file in files for part in _tables(file.read_text(), file.name))


def numbers(text: str) -> Iterator[tuple[str, str, str, str]]:
    """Section, name, value as it ships, and what it says of itself."""
    section, begun = "", False
    said: list[str] = []
    for line in text.splitlines():
        if found := _SECTION.fullmatch(line):
            section, said = found[1], []
        elif number := _NUMBER.fullmatch(line):
            yield section, number[1], number[2].strip(), " ".join(said)
            begun = False  # what stands above several stands for all of them
        elif line.startswith("#"):
            said = [*(said if begun else []), line.lstrip("# ")]
            begun = True
        else:
            said, begun = [], False


def _tables(text: str, name: str) -> Iterator[str]:
    yield f"## {name}"
    told = list(numbers(text))
    for section in dict.fromkeys(section for section, *_ in told):
        if section:
            yield f"### {section}"
        rows = [(name, value, said) for of, name, value, said in told if of == section]
        yield writing.table(
            ("macro", "as it ships", "meaning"),
            [(writing.code(name), writing.code(value), writing.plain(said)) for name, value, said in rows],
        )
