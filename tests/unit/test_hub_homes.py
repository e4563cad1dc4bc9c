"""What a hub makes in homes is their users': recorded at the system's calls, and in earnest where root is there."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.hub import homes as hub_homes
from mlinfn_condor.hub import tokens
from mlinfn_condor.hub.homes import Numbers, PeoplesHomes, of_settings
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.session.folder import prepare_for_hub
from mlinfn_condor.storage import owned
from mlinfn_condor.storage.errors import StorageFailed
from mlinfn_condor.storage.homes import LocalHomes, Owner
from mlinfn_condor.storage.settings import StorageSettings

ALICE, BOB, CAROL = 20_001, 20_002, 20_003
ALPHA, BETA = 30_001, 30_002
NUMBERS = Numbers(
    {"alice": Owner(ALICE, ALICE), "bob": Owner(BOB, BOB)}.__getitem__, {"alpha": ALPHA, "beta": BETA}.__getitem__
)
TOKEN = tokens.Token("alice", 1, "id", "text")


def path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())


def of(root: Path, numbers: Numbers) -> PeoplesHomes:
    return PeoplesHomes(LocalHomes(root), numbers, root / "projects")


def test_an_embedded_hub_makes_no_homes_and_a_site_says_where_they_are(tmp_path: Path) -> None:
    assert of_settings(StorageSettings(), own_accounts=False) is None
    made = of_settings(StorageSettings(root=tmp_path), own_accounts=False)
    assert made is not None
    made.have("alice", ["alpha"])
    made.have("alice", ["alpha"])
    assert stat.S_IMODE((tmp_path / "homes" / "alice").stat().st_mode) == 0o700
    assert stat.S_IMODE(made.project("alpha").stat().st_mode) == 0o2770
    told = {"name": "h", "folder": "/h", "tokens": {"key_file": "/k", "trust_domain": "d"}}
    told |= {"membership": {"map_file": "/m", "projects": ["alpha"]}, "storage": {"root": "/srv"}}
    assert HubSettings.model_validate(told | {"sessions": {"homes": "/srv/homes/{username}"}}).storage
    with pytest.raises(ValueError, match=r"with \[storage\] it is /srv/homes/{username}"):
        HubSettings.model_validate(told)


def test_whom_the_system_does_not_know_gets_no_home_and_the_word_says_where_to_look(tmp_path: Path) -> None:
    made = of(tmp_path, hub_homes.operating_system())
    with pytest.raises(StorageFailed, match="nobody-of-this-name is no account of the operating system here"):
        made.have("nobody-of-this-name", [])
    with pytest.raises(StorageFailed, match="root is root here"):
        made.have("root", [])


def test_a_project_without_a_group_costs_nobody_his_session(tmp_path: Path) -> None:
    def unknown(_: str) -> int:
        raise StorageFailed("there is no group")

    of(tmp_path, Numbers(hub_homes.one_account().of_user, unknown)).have("alice", ["alpha"])
    assert (tmp_path / "homes" / "alice").is_dir()
    assert not (tmp_path / "projects" / "alpha").exists()


def test_a_home_that_was_another_numbers_is_not_given_away(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    LocalHomes(tmp_path).ready()
    (tmp_path / "homes" / "alice").mkdir()
    if os.geteuid() == 0:
        os.chown(tmp_path / "homes" / "alice", BOB, BOB)
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    with pytest.raises(StorageFailed, match=r"belongs to number \d+, not to 20001"):
        of(tmp_path, NUMBERS).have("alice", [])


def test_all_that_root_makes_in_a_home_is_given_to_its_user(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home, given, see = tmp_path / "alice", [], os.fstat
    home.mkdir()

    def fstat(descriptor: int) -> os.stat_result:
        """As if root had made all but the home, until it is given away."""
        path = path_of(descriptor)
        owner = ALICE if path == str(home) or path in given else 0
        seen = see(descriptor)
        return os.stat_result((*seen[:4], owner, owner, *seen[6:]))

    def fchown(descriptor: int, uid: int, gid: int) -> None:
        assert (uid, gid) == (ALICE, ALICE)
        given.append(path_of(descriptor))

    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fstat", fstat)
    monkeypatch.setattr(os, "fchown", fchown)
    monkeypatch.setattr("mlinfn_condor.session.folder.refuse_full", lambda _: None)
    folder = prepare_for_hub(home, "hub-default", {"A": "b"}, {"internal.key": "secret"})
    tokens.write(folder.path, TOKEN)
    folder.replace_secret("internal.crt", "new")
    steps = [home / ".mlinfn", home / ".mlinfn/sessions", folder.path, folder.path / "condor"]
    assert {str(step) for step in [*steps, folder.path / "condor" / "tokens.d"]} <= set(given)
    written = {Path(path).name.split(".")[1] for path in given if Path(path).name.startswith(".")}
    assert written == {"mlinfn", "internal", "env", "alice"}
    assert len(given) == 5 + 4


def test_no_link_in_a_home_leads_the_hub_elsewhere(tmp_path: Path) -> None:
    home, other = tmp_path / "mallory", tmp_path / "bob"
    other.mkdir()
    bobs = prepare_for_hub(other, "hub-default", {"A": "bobs"})
    for step in (".mlinfn", ".mlinfn/sessions", ".mlinfn/sessions/hub-default"):
        mine = home / step
        mine.parent.mkdir(parents=True, exist_ok=True)
        mine.symlink_to(other / step)
        with pytest.raises(BadRequest, match="it must be a plain folder of its home's user"):
            prepare_for_hub(home, "hub-default", {"A": "mallorys"})
        with pytest.raises(BadRequest, match="plain folders of its user"):
            tokens.write(home / ".mlinfn/sessions/hub-default", TOKEN)
        mine.unlink()
    assert bobs.environment() == {"A": "bobs"}
    assert not (bobs.path / "condor").exists()


def as_user(uid: int, groups: list[int], act: Callable[[], object]) -> str:
    """What this user meets: `done`, or the name of the error."""
    reads, writes = os.pipe()
    if (child := os.fork()) == 0:
        try:
            os.setgroups(groups)
            os.setresgid(uid, uid, uid)
            os.setresuid(uid, uid, uid)
            os.umask(0o077)
            act()
            said = "done"
        except BaseException as error:
            said = type(error).__name__
        os.write(writes, said.encode())
        os._exit(0)
    os.close(writes)
    with os.fdopen(reads) as told:
        answer = told.read()
    os.waitpid(child, 0)
    return answer


@pytest.fixture
def open_folder(tmp_path: Path) -> Path:
    """Whose parents let everybody pass."""
    for folder in (tmp_path, tmp_path.parent, tmp_path.parent.parent):
        folder.chmod(0o755)
    return tmp_path


@pytest.mark.root
def test_as_root_a_session_reads_and_writes_its_folder_as_its_user_and_nobody_else_does(open_folder: Path) -> None:
    of(open_folder, NUMBERS).have("alice", [])
    folder = prepare_for_hub(open_folder / "homes" / "alice", "hub-default", {"A": "b"}, {"internal.key": "secret"})
    tokens.write(folder.path, TOKEN)
    prepare_for_hub(open_folder / "homes" / "alice", "hub-default", {"A": "c"})
    read = folder.environment_file.read_text
    assert as_user(ALICE, [], lambda: (read(), (folder.path / "server.json").write_text("{}"))) == "done"
    assert as_user(ALICE, [], lambda: (folder.path / "condor/tokens.d/alice").read_text()) == "done"
    assert as_user(BOB, [], read) == "PermissionError"
    found = [path.stat() for path in (open_folder / "homes" / "alice").rglob("*")]
    assert {(each.st_uid, each.st_gid) for each in found} == {(ALICE, ALICE)}
    assert len(found) >= 8


@pytest.mark.root
def test_as_root_members_of_a_project_share_its_folder_and_nobody_else_enters(open_folder: Path) -> None:
    made = of(open_folder, NUMBERS)
    made.have("alice", ["alpha"])
    made.have("bob", ["alpha", "beta"])
    file = made.project("alpha") / "data"
    assert as_user(ALICE, [ALPHA], lambda: file.write_text("hers")) == "done"
    assert as_user(BOB, [ALPHA, BETA], lambda: file.write_text("his")) == "done"
    assert as_user(CAROL, [BETA], file.read_text) == "PermissionError"
    assert (file.stat().st_uid, file.stat().st_gid) == (ALICE, ALPHA)


@pytest.mark.root
def test_as_root_what_belongs_to_a_third_is_left_alone(open_folder: Path) -> None:
    of(open_folder, NUMBERS).have("alice", [])
    home = open_folder / "homes" / "alice"
    (home / ".mlinfn").mkdir()
    os.chown(home / ".mlinfn", BOB, BOB)
    with pytest.raises(BadRequest, match="belongs to number 20002"), owned.opened(home):
        prepare_for_hub(home, "hub-default", {})
