"""A rendered site's HTCondor configuration, read by HTCondor's own parser as each of its pods reads it."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlinfn_condor.shipped import shipped
from mlinfn_condor.site import condor
from mlinfn_condor.site.first_file import Answers, text
from mlinfn_condor.site.places import Places
from mlinfn_condor.site.settings import parse

SITE = (
    text(Answers(projects=("alpha", "beta"))).replace("grace_seconds = 135", "grace_seconds = 315")
    + """
[numbers]
vacate_seconds_cap = 300
owner_displaces_sessions = false
[pledges.batch]
alpha = { devices = 6 }
[limits]
devices_per_user = 4
[external]
pools = ["cm.other.example:9618"]
projects = ["alpha"]
"""
)
PARSER_SECONDS = 30
"""A macro that refers to itself is evaluated for ever."""


@pytest.fixture(scope="module")
def ask(tmp_path_factory):
    etc = tmp_path_factory.mktemp("etc")
    (etc / "condor").mkdir()
    places = Places("cm.example.org:9618", etc=etc, policy=shipped("condor_config.d"))
    site = parse(SITE, "mlinfn.toml")
    for name, content in condor.files(site, places).items():
        (etc / "condor" / name).write_text(content)

    def answers(role: str, *names: str) -> dict[str, str]:
        told = {"CONDOR_CONFIG": str(etc / "condor" / "condor_config"), "MLINFN_ROLE": role}
        questions = "\n".join(json.dumps({"knob": name}) for name in names)
        evaluator = [sys.executable, Path(__file__).with_name("evaluator.py")]
        done = subprocess.run(
            evaluator, env=os.environ | told, input=questions, capture_output=True, text=True, timeout=PARSER_SECONDS
        )
        assert done.returncode == 0, done.stderr
        return dict(zip(names, map(json.loads, done.stdout.splitlines()), strict=True))

    return answers


@pytest.mark.parametrize(
    ("role", "daemons"),
    [
        ("central-manager", "MASTER SHARED_PORT COLLECTOR NEGOTIATOR"),
        ("interactive", "MASTER SHARED_PORT INTERACTIVE"),
        ("batch", "MASTER SHARED_PORT SCHEDD"),
    ],
)
def test_each_pod_runs_its_daemons_with_the_sites_numbers(ask, role, daemons):
    wanted = {
        "DAEMON_LIST": daemons,
        "MachineMaxVacateTime": 300,
        "MLINFN_OWNER_DISPLACES_SESSIONS": "false",
        "UID_DOMAIN": "ml.example.org",
    }
    assert ask(role, *wanted) == wanted


def test_all_but_the_collectors_own_pod_call_it_by_the_name_that_stays(ask):
    for role in ("interactive", "batch", "client"):
        assert ask(role, "COLLECTOR_HOST")["COLLECTOR_HOST"] == "cm.example.org:9618"
    own = ask("central-manager", "COLLECTOR_HOST")["COLLECTOR_HOST"]
    assert own.endswith(":9618")
    assert "example" not in own


def test_both_queues_lie_on_the_disk_that_is_mounted(ask):
    assert set(ask("interactive", "INTERACTIVE.SPOOL", "SPOOL").values()) == {"/var/lib/mlinfn/spool"}
    assert ask("batch", "HISTORY", "JOB_EPOCH_HISTORY") == {
        "HISTORY": "/var/lib/mlinfn/spool/history",
        "JOB_EPOCH_HISTORY": "/var/lib/mlinfn/spool/epoch_history",
    }


def test_promises_and_other_pools_reach_their_daemons(ask):
    told = ask("central-manager", "GROUP_QUOTA_group_batch.alpha")
    assert told["GROUP_QUOTA_group_batch.alpha"] == "6 * 16 + 0"
    told = ask("batch", "FLOCK_TO", "MLINFN_COUNT_DEVICES", "QUEUE_SUPER_USERS")
    assert told["FLOCK_TO"] == "cm.other.example:9618"
    assert told["MLINFN_COUNT_DEVICES"] == "true"
    assert "schedules" in told["QUEUE_SUPER_USERS"]
    assert "schedules" not in ask("interactive", "INTERACTIVE.QUEUE_SUPER_USERS")["INTERACTIVE.QUEUE_SUPER_USERS"]


def test_a_client_runs_nothing_and_has_no_key(ask):
    told = ask("client", "DAEMON_LIST", "SCHEDD_HOST", "SEC_DEFAULT_AUTHENTICATION_METHODS")
    assert told == {"DAEMON_LIST": None, "SCHEDD_HOST": "batch@", "SEC_DEFAULT_AUTHENTICATION_METHODS": "IDTOKENS"}
