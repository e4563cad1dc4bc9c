"""Where a private server's files lie, and what stands in them."""

import os
from pathlib import Path

import pytest

from mlinfn_condor.store.errors import ServerFailed
from mlinfn_condor.store.local.configuration import written
from mlinfn_condor.store.local.layout import LONGEST_SOCKET, ROLES, Layout, make_private


def texts(layout: Layout, user: str = "alice", memory_mb: int = 8192, shared_memory_mb: int = 4096) -> dict[str, str]:
    return written(layout, user, memory_mb, shared_memory_mb)


def test_the_socket_lies_beside_the_data_while_its_path_is_short_enough() -> None:
    folder = Path("/home/alice/.local/share/mlinfn/database")
    assert Layout(folder).sockets == folder / "run"


@pytest.mark.parametrize("length", range(85, 130, 3))
def test_no_path_of_a_socket_is_too_long_for_the_kernel(length: int) -> None:
    folder = Path("/" + "d" * (length - 1))
    assert len(os.fsencode(Layout(folder).sockets / ".s.PGSQL.5432")) <= LONGEST_SOCKET


def test_long_folders_have_sockets_of_their_own_wherever_the_caller_keeps_temporary_files(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, other = Layout(Path("/" + "a" * 120)), Layout(Path("/" + "b" * 120))
    before = one.sockets
    monkeypatch.setenv("TMPDIR", "/elsewhere")
    assert one.sockets == before != other.sockets


def test_a_private_folder_is_closed_to_others_even_if_it_was_open(tmp_path: Path) -> None:
    (folder := tmp_path / "run").mkdir(mode=0o777)
    make_private(folder)
    assert folder.stat().st_mode & 0o777 == 0o700


def test_a_link_in_the_place_of_a_private_folder_is_refused(tmp_path: Path) -> None:
    (link := tmp_path / "run").symlink_to(tmp_path)
    with pytest.raises(ServerFailed, match="not a folder of this user"):
        make_private(link)


def test_a_folder_that_cannot_be_made_names_the_cure(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(ServerFailed, match=r"cannot write .*Not a directory; set MLINFN_HOME"):
        make_private(tmp_path / "file" / "database")


def test_this_user_alone_may_enter_as_the_three_roles(tmp_path: Path) -> None:
    found = texts(Layout(tmp_path))
    assert [line.split() for line in found["pg_ident.conf"].splitlines() if not line.startswith("#")] == [
        ["mlinfn", '"alice"', role] for role in ROLES
    ]
    assert {line.split()[-2] for line in found["pg_hba.conf"].splitlines() if not line.startswith("#")} == {"peer"}
    assert "listen_addresses = ''" in found["postgresql.conf"]


@pytest.mark.parametrize(
    ("memory_mb", "buffers"), [(512, "128MB"), (4096, "512MB"), (512_000, "1024MB")], ids=["small", "middle", "large"]
)
def test_memory_is_a_bounded_share(tmp_path: Path, memory_mb: int, buffers: str) -> None:
    assert f"shared_buffers = {buffers}" in texts(Layout(tmp_path), memory_mb=memory_mb)["postgresql.conf"]


def test_a_container_with_little_shared_memory_uses_files(tmp_path: Path) -> None:
    text = texts(Layout(tmp_path), shared_memory_mb=64)["postgresql.conf"]
    assert "dynamic_shared_memory_type = mmap" in text


def test_quotes_in_paths_are_kept_and_what_cannot_be_written_is_refused() -> None:
    assert "log_directory = '/home/o''hara/log'" in texts(Layout(Path("/home/o'hara")))["postgresql.conf"]
    with pytest.raises(ServerFailed, match="set MLINFN_HOME"):
        texts(Layout(Path("/home/a,b")))
    with pytest.raises(ServerFailed, match="run as another user"):
        texts(Layout(Path("/home/a")), user='a"b')
