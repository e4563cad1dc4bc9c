"""The page about security holds what it says: each attack that it names has a test that tries it."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "security.md"
TEST = re.compile(r"`(tests/[\w/]+\.py)::(test_\w+)`")
ATTACKS = (
    "a stolen glidein token",
    "a job that reads another's token",
    "a session that talks to the access point as another",
    "a user's image that wants root",
    "submit-language injection",
    "a hub option tampered with",
    "a database role that oversteps",
    "a leaver who kept his tokens",
    "a name or number that somebody else had",
)
"""What the page has to name at least."""


def rows() -> list[tuple[str, str]]:
    """Attack and the rest of its row, of every table whose first column is "attack"."""
    found, inside = [], False
    for line in PAGE.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")] if line.startswith("|") else []
        inside = bool(cells) and (inside or cells[0] == "attack")
        if inside and cells[0] != "attack" and set(cells[0]) != {"-"}:
            found.append((cells[0], line))
    return found


def test_the_page_names_the_attacks_that_it_has_to():
    named = [attack for attack, _ in rows()]
    assert [attack for attack in ATTACKS if attack not in named] == []
    assert len(named) == len(set(named))


@pytest.mark.parametrize(("attack", "row"), rows(), ids=[attack for attack, _ in rows()])
def test_each_attack_names_a_test_that_exists(attack, row):
    named = TEST.findall(row)
    assert named, f"{attack}: no test tries it"
    for file, function in named:
        assert re.search(rf"^(async )?def {function}\(", (ROOT / file).read_text(), re.MULTILINE), (
            f"{file} has no {function}"
        )


def test_no_test_is_named_anywhere_on_the_page_that_does_not_exist():
    for file, function in TEST.findall(PAGE.read_text()):
        assert f"def {function}(" in (ROOT / file).read_text(), f"{file} has no {function}"
