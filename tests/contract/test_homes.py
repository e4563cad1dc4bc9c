"""Homes promise the same, on a local folder and on an export; mounting itself needs root and is recorded instead."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mlinfn_condor.storage.errors import StorageFailed
from mlinfn_condor.storage.homes import Homes, LocalHomes, NfsHomes, Owner, command, source_of, usage
from mlinfn_condor.storage.settings import NfsSettings, StorageSettings

ME = Owner(os.geteuid(), os.getegid())
EXPORT = NfsSettings(server="nfs.example.org", export="/export/bari")


@pytest.fixture(params=["local", "nfs"])
def homes(request: pytest.FixtureRequest, tmp_path: Path) -> Homes:
    made: Homes = LocalHomes(tmp_path)
    if request.param == "nfs":
        made = NfsHomes(tmp_path, EXPORT, mount=lambda _: None)
    made.ready()
    return made


def modes(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_home_is_its_users_alone_and_stays_as_it_is(homes: Homes) -> None:
    home = homes.home("alice", ME)
    (home / "work").write_text("kept")
    assert homes.home("alice", ME) == home
    assert (modes(home), (home / "work").read_text()) == (0o700, "kept")


def test_a_projects_folder_is_its_members_whatever_their_umask(homes: Homes) -> None:
    folder = homes.project("alpha", ME.gid)
    assert (modes(folder), folder.stat().st_gid) == (0o2770, ME.gid)
    before = os.umask(0o077)
    try:
        (folder / "sub").mkdir()
        (folder / "sub" / "data").write_text("shared")
    finally:
        os.umask(before)
    assert modes(folder / "sub") & 0o7077 == 0o2070
    assert modes(folder / "sub" / "data") & 0o077 == 0o060


@pytest.mark.parametrize("name", ["", "..", "a/b", "-rf", "A", "a" * 64])
def test_a_name_that_leads_elsewhere_is_refused(homes: Homes, name: str) -> None:
    for make in (lambda: homes.home(name, ME), lambda: homes.project(name, ME.gid)):
        with pytest.raises(StorageFailed, match="cannot be the name of a folder"):
            make()


def test_a_link_in_the_place_of_a_home_is_not_followed(homes: Homes, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir(mode=0o755)
    (tmp_path / "homes" / "mallory").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(StorageFailed, match="is no folder"):
        homes.home("mallory", ME)
    assert modes(tmp_path / "elsewhere") == 0o755


def test_what_a_home_holds_counts_links_once(homes: Homes) -> None:
    home = homes.home("alice", ME)
    (home / "one").write_bytes(os.urandom(10_000))
    os.link(home / "one", home / "again")
    held = usage(home)
    assert held.files == 1
    assert 10_000 <= held.bytes < 20_000


def test_an_export_is_mounted_once_and_another_one_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mounted: list[list[str]] = []
    NfsHomes(tmp_path, EXPORT, mount=lambda words: mounted.append(list(words))).ready()
    (words,) = mounted
    assert words == command(tmp_path, EXPORT)
    assert words[4] == "vers=4.2,hard,proto=tcp,nconnect=4,nosuid,nodev,noatime,fsc"
    line = f"30 1 0:40 / {tmp_path} rw - nfs4 nfs.example.org:/export/bari rw,vers=4.2\n"
    assert source_of(tmp_path, line) == EXPORT.source
    assert source_of(tmp_path / "homes", line) is None
    real = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path, *a: line if "mountinfo" in str(path) else real(path, *a))
    NfsHomes(tmp_path, EXPORT, mount=lambda words: mounted.append(list(words))).ready()
    assert len(mounted) == 1
    other = EXPORT.model_copy(update={"export": "/export/lecce"})
    with pytest.raises(StorageFailed, match=r"and the settings want nfs\.example\.org:/export/lecce"):
        NfsHomes(tmp_path, other, mount=lambda _: None).ready()


def test_mounting_without_the_right_is_told_in_one_line(tmp_path: Path) -> None:
    if os.geteuid() == 0:
        pytest.skip("root would really mount")
    with pytest.raises(StorageFailed, match="mount") as told:
        NfsHomes(tmp_path, EXPORT).ready()
    assert str(tmp_path) in str(told.value) or "nfs-common" in str(told.value)


def test_the_settings_fit_together() -> None:
    for wrong in ({"provider": "nfs"}, {"nfs": EXPORT}, {"root": "relative"}):
        with pytest.raises(ValueError):
            StorageSettings.model_validate(wrong)


def _as(uid: int, gid: int, act: Callable[[], None]) -> bool:
    """Whether somebody else may do it: in a child, which cannot become root again."""
    child = os.fork()
    if child == 0:
        os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
        try:
            act()
        except PermissionError:
            os._exit(1)
        os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0


@pytest.mark.root
def test_members_share_and_others_stay_out(homes: Homes, tmp_path: Path) -> None:
    for folder in [*tmp_path.parents, tmp_path]:
        if folder.stat().st_mode & 0o005 != 0o005:
            folder.chmod(0o755)
    shared, home = homes.project("alpha", 50_000), homes.home("alice", Owner(50_001, 50_001))
    alice, bob, mallory = (50_001, 50_000), (50_002, 50_000), (50_003, 50_003)
    assert _as(*alice, lambda: (shared / "data").write_text("of alice"))
    assert _as(*bob, lambda: (shared / "data").write_text("of bob"))
    assert not _as(*mallory, lambda: (shared / "data").read_text())
    assert not _as(*bob, lambda: list(home.iterdir()))
