"""Files of HTCondor's configuration that ship: what each decides, why, who reads it, what a site may change."""

import re
from collections.abc import Iterator
from pathlib import Path

from generating import writing
from mlinfn_condor.shipped import shipped

FIELDS = ("What", "Why", "Who", "Site", "Test")
_FIELD = re.compile(rf"# ({'|'.join(FIELDS)}): +(.*)")
_TEST = re.compile(r"tests/[\w/]+\.py")


def folders() -> dict[str, Path]:
    """Where such files lie, by the name that the repository has for it."""
    return {"condor_config.d": shipped("condor_config.d"), "glidein/config.d": shipped("glidein") / "config.d"}


def banner(text: str) -> dict[str, str]:
    """The fields of the comment at a file's head."""
    told: dict[str, str] = {}
    name = ""
    for line in text.splitlines():
        if not line.startswith("#"):
            break
        if field := _FIELD.fullmatch(line):
            name = field[1]
            told[name] = field[2]
        elif name and line.startswith("#  "):
            told[name] += f" {line.lstrip('# ')}"
        else:
            break
    return told


def page() -> str:
    """A heading for each file; numbers have a page of their own."""
    return writing.page(part for name, folder in folders().items() for part in _of(name, folder))


def _of(name: str, folder: Path) -> Iterator[str]:
    yield f"## {name}"
    for file in sorted(folder.glob("*.conf")):
        yield f"### {file.name}"
        told = banner(file.read_text())
        yield writing.plain(_sentence(told.pop("What")))
        yield "\n".join(f"- **{field}**: {writing.plain(_marked(text))}" for field, text in told.items())


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:]


def _marked(text: str) -> str:
    return _TEST.sub(lambda path: f"`{path[0]}`", text)
