"""Jobs of three people on a rendered site's access point and a node, each as his own user: what members of a project
share, and what nobody else reads. Only root can start jobs as others.
"""

import os
import sys

import pytest
from as_users import PEOPLE, PROJECTS, tokens_of
from postgres import wait_until

pytestmark = pytest.mark.root

SUBMIT = """
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.submission import templates
print(RealPool().submit(templates.load("{template}").fill({job}), "batch@").cluster)
"""


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


def test_what_the_schedules_submit_runs_as_the_user_in_whose_name_it_is(at_work):
    """As their pod does it: as condor, who reads no home."""
    folder = at_work.folder / "homes" / "alice" / "nightly"
    folder.mkdir()
    os.chown(folder, PEOPLE["alice"], PEOPLE["alice"])
    job = {"command": "sh -c 'id -un; pwd'", "folder": str(folder), "owner": "alice", "run": "1/2026-01-01/0"}
    submitted = at_work.run_as_role("schedules", sys.executable, "-c", SUBMIT.format(template="training", job=job))
    assert submitted.returncode == 0, submitted.stderr
    cluster = submitted.stdout.strip()
    ended = at_work.run_as("alice", "condor_wait", "-wait", "90", f"{folder}/training.{cluster}.log")
    assert ended.returncode == 0, ended.stdout + ended.stderr
    output = folder / f"training.{cluster}.0.out"
    assert output.read_text() == f"alice\n{folder}\n"
    assert output.stat().st_uid == PEOPLE["alice"]


def test_the_selftest_of_nodes_that_an_administrator_starts_runs_in_somebodys_name(at_work):
    (uid,) = set(at_work.run_as("alice", "condor_status", "-af", "MlinfnGlideinUid").stdout.split())
    own, hers = ({"uid": uid}, {"uid": uid, "owner": "alice"})
    refused, submitted = (
        at_work.run_as_role("administrator", sys.executable, "-c", SUBMIT.format(template="glidein-selftest", job=job))
        for job in (own, hers)
    )
    assert "project" in refused.stderr
    assert submitted.returncode == 0, submitted.stderr
    asked = ["-name", "batch@", submitted.stdout.strip(), "-af", "Owner", "ExitCode"]
    wait_until(lambda: at_work.run_as("alice", "condor_history", *asked).stdout == "alice 0\n", 60, "it has run")
