"""A glidein's token, on a real pool: it advertises slots, and opens nothing else."""

import os
import subprocess

import pytest
from driver import Driver, wait_until

from mlinfn_condor.embedded.lifecycle import RunningPool

SLOT = (
    'MyType = "Machine"\nName = "slot1@forged"\nMachine = "forged"\nState = "Unclaimed"\nMyAddress = "<127.0.0.1:9>"\n'
)
SCHEDD = 'MyType = "Scheduler"\nName = "forged@"\nMachine = "forged"\nScheddIpAddr = "<127.0.0.1:9>"\n'
MASTER = 'MyType = "DaemonMaster"\nName = "forged"\nMachine = "forged"\n'
SUBMITTER = 'MyType = "Submitter"\nName = "forged@demo"\nMachine = "forged"\nScheddName = "forged@"\n'
JOB = (
    "executable = /bin/true\ntransfer_executable = false\nshould_transfer_files = NO\n"
    '+PriorityClass = "batch"\n+Project = "alpha"\nqueue\n'
)


@pytest.fixture(scope="module")
def bare(bare_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Driver:
    """No job ever gets into the queue here, so none has to be cleared away."""
    return Driver(bare_pool, tmp_path_factory.mktemp("token"))


def with_the_token(bare: Driver, *command: str) -> "subprocess.CompletedProcess[str]":
    """What somebody who stole it can do from the pool's own machine."""
    stolen = {"_CONDOR_SEC_TOKEN_DIRECTORY": str(bare.pool.layout.glidein_tokens)}
    environment = os.environ | bare.pool.environment("alice") | stolen
    return subprocess.run(command, env=environment, cwd=bare.folder, capture_output=True, text=True)


def advertise(bare: Driver, command: str, ad: str) -> "subprocess.CompletedProcess[str]":
    (bare.folder / "ad").write_text(ad)
    return with_the_token(bare, "condor_advertise", "-tcp", command, str(bare.folder / "ad"))


def test_it_may_advertise_a_slot(bare):
    """What makes the refusals below mean something."""
    assert with_the_token(bare, "condor_ping", "-quiet", "-type", "collector", "ADVERTISE_STARTD").returncode == 0
    assert advertise(bare, "UPDATE_STARTD_AD", SLOT).returncode == 0
    wait_until(lambda: bare.slots('Machine == "forged"'), 10, "the slot is there")
    advertise(
        bare, "INVALIDATE_STARTD_ADS", 'MyType = "Query"\nTargetType = "Machine"\nRequirements = Machine == "forged"\n'
    )
    wait_until(lambda: not bare.slots('Machine == "forged"'), 10, "the slot is gone")


@pytest.mark.parametrize(
    ("command", "ad"),
    [("UPDATE_SCHEDD_AD", SCHEDD), ("UPDATE_MASTER_AD", MASTER), ("UPDATE_SUBMITTOR_AD", SUBMITTER)],
)
def test_it_advertises_no_other_daemon(bare, command, ad):
    refused = advertise(bare, command, ad)
    assert refused.returncode != 0
    assert "forged" not in bare.run("condor_status", "-any", "-af", "Name", user="admin").stdout


@pytest.mark.parametrize("daemon", ["collector", "negotiator", "schedd"])
@pytest.mark.parametrize(
    "level", ["READ", "WRITE", "DAEMON", "NEGOTIATOR", "ADMINISTRATOR", "ADVERTISE_SCHEDD", "CONFIG"]
)
def test_no_daemon_grants_it_any_other_level(bare, daemon, level):
    named = ("-name", "batch@") if daemon == "schedd" else ()
    assert with_the_token(bare, "condor_ping", "-quiet", "-type", daemon, *named, level).returncode != 0


@pytest.mark.parametrize(
    "command",
    [
        ("condor_status",),
        ("condor_q", "-name", "batch@", "-all"),
        ("condor_history", "-name", "batch@"),
        ("condor_userprio", "-allusers"),
        ("condor_userprio", "-setfactor", "alice@bare", "1"),
        ("condor_rm", "-name", "batch@", "-all"),
        ("condor_off", "-daemon", "negotiator"),
        ("condor_reconfig",),
    ],
    ids=" ".join,
)
def test_it_can_neither_look_nor_command(bare, command):
    refused = with_the_token(bare, *command)
    assert refused.returncode != 0 or not refused.stdout.strip(), refused.stdout
    told = (refused.stdout + refused.stderr).lower()
    assert any(word in told for word in ("denied", "authoriz", "authenticat", "can't", "failed", "error", "not ")), told


@pytest.mark.parametrize("access_point", ["batch@", "interactive@"])
def test_it_cannot_submit(bare, access_point):
    (bare.folder / "job.sub").write_text(JOB)
    refused = with_the_token(bare, "condor_submit", "-name", access_point, str(bare.folder / "job.sub"))
    assert refused.returncode != 0
    assert bare.query("condor_q", "-name", access_point, "-all", user="admin") == []


def test_nobody_but_its_owner_reads_it(bare):
    folder = bare.pool.layout.glidein_tokens
    assert folder.stat().st_mode & 0o077 == 0
    assert [file.stat().st_mode & 0o077 for file in folder.iterdir()] == [0]
