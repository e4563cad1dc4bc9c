"""Pages and headings that errors, help, settings and configuration name exist."""

import re
from functools import cache
from importlib import import_module
from itertools import pairwise
from pathlib import Path

import pytest
from markdown_it import MarkdownIt
from mdit_py_plugins.anchors.index import slugify

from mlinfn_condor import errors
from mlinfn_condor.errors import JobRefused, MlinfnError

ROOT = Path(__file__).parents[2]
main = import_module("mlinfn_condor.cli.main")
FOLDERS = ("mlinfn_condor", "condor_config.d", "glidein", "submit_templates", "kubernetes", "images", "examples")
PAGE = re.compile(r"\bdocs/[\w/-]+\.md(?:#[\w-]+)?")


@cache
def headings(page: Path) -> frozenset[str]:
    """As links name them."""
    tokens = MarkdownIt().parse(page.read_text())
    titles = [after.content for token, after in pairwise(tokens) if token.type == "heading_open"]
    return frozenset(slugify(re.sub(r"[`*]|\]\([^)]*\)|\[", "", title)) for title in titles)


def exists(named: str) -> bool:
    page, _, heading = named.partition("#")
    return (ROOT / page).is_file() and (not heading or heading in headings(ROOT / page))


def named_in(folder: str) -> set[tuple[str, str]]:
    texts = (
        path
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".py", ".conf", ".sub", ".yml", ".yaml", ".html", ".sql", ".md", ""}
    )
    return {
        (str(path.relative_to(ROOT)), page)
        for path in texts
        if path.is_file() and "__pycache__" not in path.parts
        for page in PAGE.findall(path.read_text(errors="ignore"))
    }


@pytest.mark.parametrize("folder", FOLDERS)
def test_pages_and_headings_that_are_named_exist(folder):
    assert {(path, page) for path, page in named_in(folder) if not exists(page)} == set()


def test_a_page_or_heading_that_is_not_there_is_found():
    assert exists("docs/operations.md#backups")
    assert not exists("docs/operations.md#frontups")
    assert not exists("docs/nothing.md")


def test_errors_of_the_pool_name_a_page():
    """Those that a person cannot cure by asking otherwise."""
    alone = {errors.MlinfnError, errors.BadRequest, errors.UserError, errors.JobNotFound, errors.NodeNotFound}
    kinds = {one for one in vars(errors).values() if isinstance(one, type) and issubclass(one, MlinfnError)}
    assert {kind.__name__ for kind in kinds - alone if not exists(kind.page)} == set()


def test_an_error_is_followed_by_the_page_that_helps(monkeypatch, capsys):
    def refused(**_):
        raise JobRefused("project beta is not yours: choose one of alpha")

    monkeypatch.setattr(main, "app", refused)
    monkeypatch.setattr(main.os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit):
        main.main()
    assert capsys.readouterr().err.splitlines() == [
        "mlinfn: project beta is not yours: choose one of alpha",
        "mlinfn: read on in docs/policy.md#admission-each-refusal-says-what-to-do",
    ]
