"""The listing of condor_config.d is the table of contents: each file says what it decides and which test holds it."""

import itertools
import re

import pytest
from policy import FOLDER

FILES = sorted(FOLDER.iterdir())
ROOT = FOLDER.parent
NUMBERS = FOLDER / "00-state-the-numbers.conf"
BANNER = ("What", "Why", "Who", "Site", "Test")


def banner(file) -> dict[str, str]:
    lines = file.read_text().splitlines()
    head = itertools.takewhile(lambda line: line.startswith("#"), lines)
    found = re.findall(r"^# (\w+): +(.+)$", "\n".join(head), re.MULTILINE)
    return dict(found)


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_file_is_named_by_number_and_sentence(file):
    assert re.fullmatch(r"\d\d-[a-z]+(-[a-z]+)+\.conf", file.name)


def test_no_two_files_share_a_number():
    numbers = [file.name[:2] for file in FILES]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_a_file_has_its_banner(file):
    needed = [word for word in BANNER if word != "Why" or file != NUMBERS]
    assert [word for word in needed if not banner(file).get(word)] == []


@pytest.mark.parametrize("file", FILES, ids=lambda f: f.name)
def test_the_tests_that_a_file_names_exist(file):
    named = re.findall(r"tests/[\w/]+\.py", banner(file)["Test"])
    assert named
    assert [name for name in named if not (ROOT / name).is_file()] == []


def test_the_page_about_the_policy_has_a_paragraph_for_each_file():
    told = re.findall(r"^\*\*`([\w.-]+)`\*\*", (ROOT / "docs/policy.md").read_text(), re.MULTILINE)
    assert told == [file.name for file in FILES]


def numbers() -> list[str]:
    return re.findall(r"^(MLINFN_\w+) =", NUMBERS.read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", numbers())
def test_a_number_is_used_and_stated_once(name):
    others = "".join(file.read_text() for file in FILES if file != NUMBERS)
    assert numbers().count(name) == 1
    assert re.search(rf"\$(?:\w*)\({name}\)", others) or name in NUMBERS.read_text().replace(f"{name} =", "")


@pytest.mark.parametrize("name", numbers())
def test_a_number_says_what_it_means(name):
    lines = NUMBERS.read_text().splitlines()
    where = next(i for i, line in enumerate(lines) if line.startswith(f"{name} ="))
    block = []
    for line in reversed(lines[:where]):
        if line.startswith("# ") and not line.startswith("# ---"):
            block.append(line)
            break
        if not line.startswith("MLINFN_"):
            break
    assert block


def test_the_whole_directory_is_read_without_an_undefined_macro(batch):
    ours = [name for name in batch.names() if name.upper().startswith("MLINFN_")]
    assert len(ours) > 40
    assert [name for name in ours if "$(MLINFN" in batch.raw(name)] == []
