"""Commands that the documentation names are there, with the options that it gives them."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path

import pytest
from command_lines import parted
from markdown_it import MarkdownIt

ROOT = Path(__file__).parents[2]
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    *sorted((ROOT / "examples").rglob("*.md")),
]
NAMED = re.compile(r"(?<!namespace)(?:^|[\s(`\"'])(?:\./)?mlinfn (?=[a-z-])(.*)")
CUT = re.compile(r"\s(?:&&|\|\|?|;|>|2>|&|#)(?:\s|$)|…")
ALTERNATIVES = re.compile(r"(?<=[\w-])(?: \| |\|)(?=[\w-])")


def code_of(text: str) -> Iterator[str]:
    """Code in the text, and lines of its blocks; a line that goes on is one."""
    for token in MarkdownIt().parse(text):
        if token.type == "fence":
            yield from token.content.replace("\\\n", " ").splitlines()
        for child in token.children or ():
            if child.type == "code_inline":
                yield child.content


def lines_of(page: Path) -> list[str]:
    """What stands there after `mlinfn`, each alternative of `a | b` for itself."""
    found = []
    for code in code_of(page.read_text()):
        for part in re.split(r" && |; |\$\(", code):
            if named := NAMED.search(part):
                found += list(_each(named[1]))
    return found


def _each(line: str) -> Iterator[str]:
    if not ALTERNATIVES.search(line):
        yield CUT.split(line)[0]
        return
    words = ALTERNATIVES.split(line)
    before, _, first = words[0].rpartition(" ")
    last, _, after = words[-1].partition(" ")
    for each in (first, *words[1:-1], last):
        yield CUT.split(f"{before} {each} {after}")[0].strip()


def words_of(line: str) -> list[str]:
    """As a shell would, whatever is left open."""
    try:
        return shlex.split(line.rstrip("`.,)]"))
    except ValueError:
        return line.split()


def mistakes(line: str) -> Iterator[str]:
    """What of it is not there; whatever the line leaves out is nobody's mistake."""
    command, rest = parted(words_of(line))
    if hasattr(command, "commands") and rest and re.fullmatch(r"[a-z-]+", rest[0]):
        yield f"mlinfn {line}: no command {rest[0]}"
    context = command.make_context("mlinfn", [], resilient_parsing=True)
    context.resilient_parsing = False
    try:
        command.make_parser(context).parse_args(rest)
    except Exception as error:  # typer's own, whatever it is built on
        if type(error).__name__ == "NoSuchOption":
            yield f"mlinfn {line}: no option {error.option_name}"


@pytest.mark.parametrize("page", [pytest.param(page, id=str(page.relative_to(ROOT))) for page in PAGES])
def test_every_command_and_option_that_a_page_names_is_there(page):
    assert [wrong for line in lines_of(page) for wrong in mistakes(line)] == []


def test_the_pages_name_commands_at_all():
    assert sum(len(lines_of(page)) for page in PAGES) > 200


@pytest.mark.parametrize(
    "text", ["`mlinfn frobnicate`", "`mlinfn db up --colour`", "```sh\nmlinfn pool up && mlinfn hub away\n```"]
)
def test_a_command_that_is_not_there_is_found(text, tmp_path):
    (page := tmp_path / "page.md").write_text(text)
    assert [wrong for line in lines_of(page) for wrong in mistakes(line)]
