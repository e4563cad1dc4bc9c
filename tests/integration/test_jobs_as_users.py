"""Jobs of three people on a rendered site's access point and a node, each as his own user: what members of a project
share, and what nobody else reads. Only root can start jobs as others.
"""

import pytest
from as_users import PEOPLE, PROJECTS, tokens_of

pytestmark = pytest.mark.root


def test_what_one_member_makes_the_others_may_change_whatever_his_umask_and_nobody_else_sees_it(at_work):
    file = at_work.project / "data"
    assert at_work.job("alice", "write", f"umask 077; echo hers >{file}") == ("alice\n", "")
    assert at_work.job("bob", "append", f"echo his >>{file}; cat {file}") == ("bob\nhers\nhis\n", "")
    printed, complained = at_work.job("carol", "peek", f"cat {file}; ls {at_work.project}; echo mine >{file}")
    assert printed == "carol\n"
    assert complained.lower().count("permission denied") == 3
    assert file.read_text() == "hers\nhis\n"
    assert (file.stat().st_uid, file.stat().st_gid) == (PEOPLE["alice"], PROJECTS["alpha"])


def test_a_home_and_the_token_in_it_are_its_users(at_work):
    home, token = at_work.folder / "homes" / "alice", tokens_of(at_work.folder, "alice")
    printed, complained = at_work.job("bob", "look", f"ls {home}; cat {token}")
    assert (printed, complained.count("Permission denied")) == ("bob\n", 2)


def test_what_daemons_alone_may_read_no_job_does(at_work):
    """Lists of tokens, keys, and the tokens of daemons and nodes."""
    folder = at_work.folder
    files = [
        folder / "shared" / "people-tokens.map",
        folder / "batch" / "etc" / "tokens" / "tokens.map",
        folder / "batch" / "run" / "secrets" / "pool-keys" / "POOL",
        folder / "node" / "token" / "glidein",
    ]
    assert all(file.is_file() for file in files)
    printed, complained = at_work.job("bob", "steal", "; ".join(f"cat {file}" for file in files))
    assert (printed, complained.count("Permission denied")) == ("bob\n", len(files))
