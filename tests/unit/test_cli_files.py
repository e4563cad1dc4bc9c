"""Files that commands write, and disks that are full."""

import errno
from importlib import import_module

import pytest

from mlinfn_condor.cli.files import write_whole
from mlinfn_condor.errors import UserError


def test_a_full_disk_leaves_what_was_there(tmp_path, monkeypatch):
    (there := tmp_path / "report.html").write_text("last month's")
    write = type(there).write_text

    def full(path, text, **how):
        write(path, text[:3], **how)
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(type(there), "write_text", full)
    with pytest.raises(UserError, match=r"report\.html was not written: No space left on device; make room"):
        write_whole(there, "this month's")
    assert there.read_text() == "last month's"
    assert [one.name for one in tmp_path.iterdir()] == ["report.html"]


def test_what_is_no_file_is_written_to(tmp_path):
    with pytest.raises(UserError, match="/dev/full was not written"):
        write_whole(type(tmp_path)("/dev/full"), "text")


def test_a_link_stays_one(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "file")
    write_whole(tmp_path / "link", "text")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "file").read_text() == "text"


def test_a_full_disk_anywhere_is_one_line(monkeypatch, capfd):
    def full(prog_name):
        raise OSError(errno.ENOSPC, "No space left on device", "/pool/etc/hub.toml")

    main = import_module("mlinfn_condor.cli.main")  # the package has a function of this name
    monkeypatch.setattr(main, "app", full)
    monkeypatch.setattr(main, "_refuse_root", lambda: None)
    monkeypatch.setattr(main.os, "dup2", lambda *_: None)
    with pytest.raises(SystemExit) as ended:
        main.main()
    assert ended.value.code == 1
    told = capfd.readouterr().err
    assert (
        told == "mlinfn: cannot write /pool/etc/hub.toml: No space left on device; make room, then run the same again\n"
    )


def test_whom_roots_commands_run_as_is_said_when_he_may_not_write(monkeypatch, capsys):
    def refused(**_):
        raise UserError("mlinfn.toml: Permission denied") from PermissionError()

    main = import_module("mlinfn_condor.cli.main")
    monkeypatch.setattr(main, "app", refused)
    monkeypatch.setattr(main.sys, "argv", ["mlinfn", "--help"])
    for by_root, lines in (("", 1), ("yes", 2)):
        monkeypatch.setenv("MLINFN_CALLED_BY_ROOT", by_root)
        with pytest.raises(SystemExit):
            main.main()
        told = capsys.readouterr().err.splitlines()
        assert len(told) == lines, told
    assert told[1].startswith("mlinfn: root's commands run as ")
