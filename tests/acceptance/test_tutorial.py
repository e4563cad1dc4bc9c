"""The tutorial, page after page in one shell, as a newcomer types it; what it promises is what is answered."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from walkthrough import Command, File, Shell, answers, steps

ROOT = Path(__file__).parents[2]
PAGES = ("session", "dask", "training", "schedule")
COMMAND_SECONDS = 120


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    (folder := tmp_path_factory.mktemp("reader") / "first").mkdir()
    return folder


@pytest.fixture(scope="module")
def shell(pool_home: Path, home: Path) -> Iterator[Shell]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("_CONDOR", "MLINFN_"))}
    # Other files' tests have a database in the shared home.
    (own := pool_home / "t").mkdir()
    if (pool_home / "htcondor").exists():
        (own / "htcondor").symlink_to(pool_home / "htcondor")
    environment |= {"MLINFN_HOME": str(own), "MLINFN_POOL": "tutorial", "NO_COLOR": "1", "COLUMNS": "160"}
    environment.pop("CONDOR_CONFIG", None)
    typed = Shell(ROOT, environment)
    yield typed
    for command in ("mlinfn pool down", "mlinfn db down"):
        typed.type(command, COMMAND_SECONDS)
    typed.close()


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_as_it_says(page: str, shell: Shell, home: Path) -> None:
    for step in steps((ROOT / "docs" / "tutorial" / f"{page}.md").read_text()):
        match step:
            case File(name, text):
                (home / name).write_text(text)
                shell.type(f"cd {home}", COMMAND_SECONDS)
            case Command(text, expected):
                code, said = shell.type(text, COMMAND_SECONDS)
                assert (code, answers(expected, said)) == (0, True), f"$ {text}\n{said}\n\nexpected:\n{expected}"


def test_every_page_of_the_tutorial_is_followed() -> None:
    written = {page.stem for page in (ROOT / "docs" / "tutorial").glob("*.md")} - {"index"}
    assert written == {*PAGES}
