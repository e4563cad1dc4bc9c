"""What a site's manifests start, here: entrypoint, rendered configuration, made secrets, probes for good and bad."""

import os
import shutil
import signal
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from postgres import wait_until
from site_containers import ROOT, Container, pool, running

from mlinfn_condor.embedded.distribution import Distribution
from mlinfn_condor.embedded.secrets import write_private
from mlinfn_condor.embedded.signing import signed
from mlinfn_condor.hub.accounts.project_map import write as write_map
from mlinfn_condor.hub.tokens import Issuer, token_file
from mlinfn_condor.hub.tokens import write as write_token

HANGS_SECONDS = 2


@pytest.fixture(scope="module")
def site(installed: Distribution) -> Iterator[dict[str, Container]]:
    folder = Path(tempfile.mkdtemp(prefix="mlinfn-"))
    with pool(folder, installed) as containers:
        yield containers
    shutil.rmtree(folder, ignore_errors=True)


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


@contextmanager
def standing_still(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_a_daemon_that_answers_is_told_from_one_that_does_not_exist(site):
    for role in ("interactive", "batch"):
        assert site[role].probe("schedd-answers", f"{role}@").returncode == 0
    # It tells of itself some seconds after its start.
    wait_until(lambda: site["central-manager"].probe("collector-answers").returncode == 0, 90, "the collector answers")
    unknown = site["batch"].probe("schedd-answers", "nightly@")
    assert unknown.returncode == 1
    assert "nightly@" in unknown.stderr


@pytest.mark.parametrize(
    ("role", "daemon", "probe"),
    [
        ("batch", "condor_schedd", ("schedd-answers", "batch@")),
        ("interactive", "condor_schedd", ("schedd-answers", "interactive@")),
        ("central-manager", "condor_collect", ("collector-answers",)),
    ],
)
def test_a_daemon_that_hangs_does_not_answer_and_later_does(site, role, daemon, probe):
    with standing_still(site[role].daemon(daemon)):
        stopped = site[role].probe(*probe, seconds=HANGS_SECONDS)
    assert stopped.returncode == 1
    assert "answer" in stopped.stderr
    wait_until(lambda: site[role].probe(*probe).returncode == 0, 30, f"{role} answers again")


def test_a_negotiator_whose_cycles_do_not_end_is_noticed(site):
    manager = site["central-manager"]
    wait_until(lambda: manager.probe("negotiator-negotiated", "12").returncode == 0, 30, "a cycle has ended lately")
    with standing_still(manager.daemon("condor_negoti")):
        wait_until(lambda: manager.probe("negotiator-negotiated", "12").returncode == 1, 30, "its last cycle is old")
    assert manager.probe("collector-answers").returncode == 0
    wait_until(lambda: manager.probe("negotiator-negotiated", "12").returncode == 0, 30, "cycles end again")


def test_what_the_provisioner_tells_reaches_the_negotiator(site):
    manager = site["central-manager"]
    told, kept = (manager.folder / "lib" / name / "growing.conf" for name in ("shared", "growing"))
    quick = Container(
        "growing", _folder(manager.folder / "beside"), manager.environment | {"MLINFN_LOOK_SECONDS": "0.2"}
    )
    with running(quick, str(ROOT / "images" / "keep-near"), "negotiator", str(told), str(kept)) as keeper:
        assert keeper.process is not None
        # As the provisioner does: whole or not at all.
        told.with_suffix(".new").write_text("MLINFN_GROWING_MODELS = T4\nMLINFN_NODES_TO_COME = 8:1024\n")
        told.with_suffix(".new").rename(told)
        asked = ("condor_status", "-negotiator", "-af", "MlinfnNodesToCome")
        wait_until(lambda: manager.run(*asked).strip() == "8:1024", 30, "the negotiator's ad says so")
        keeper.process.terminate()
        assert keeper.process.wait(5) == 0


def test_roles_are_introduced_to_their_access_point(site):
    assert site["interactive"].probe("introduce", "interactive@", "admin", "hub", seconds=20).returncode == 0
    known = site["interactive"].run("condor_qusers", "-name", "interactive@", "-af", "User")
    assert {"admin@ml.example.org", "hub@ml.example.org"} <= set(known.split())


def test_an_access_point_that_is_away_is_not_waited_for_for_ever(site):
    done = site["batch"].probe("introduce", "nightly@", "admin", seconds=1)
    assert done.returncode == 0
    assert "does not know admin@ml.example.org" in done.stderr


def test_a_client_with_the_hubs_token_finds_both_access_points(site):
    told = site["client"].run("condor_status", "-schedd", "-af", "Name")
    assert set(told.split()) == {"interactive@", "batch@"}


def test_a_client_without_a_token_of_the_pools_finds_nothing(site, tmp_path):
    stranger = site["client"].environment | {"_CONDOR_SEC_TOKEN_DIRECTORY": str(tmp_path)}
    asked = Container("client", site["client"].folder, stranger).probe("collector-answers")
    assert asked.returncode == 1


def test_a_token_opens_what_it_should_while_it_is_listed_and_signed_and_no_longer(site, tmp_path):
    """As the hub lists people and says who left; at both access points, and at the collector by what is kept near."""
    folder = site["client"].folder
    secrets, shared = folder.parent / "secrets", folder / "lib" / "shared"
    issuer = Issuer(secrets / "mlinfn-session-key" / "sessions", "ml.example.org")
    now = int(time.time())
    write_token(tmp_path, issuer.token("alice", now + 600, now - 60))
    alice = site["client"].holding(token_file(tmp_path, "alice").parent)
    questions = {
        "batch": ("condor_q", "-name", "batch@"),
        "interactive": ("condor_q", "-name", "interactive@"),
        "collector": ("condor_status", "-schedd"),
    }

    def opened() -> set[str]:
        return {name for name, question in questions.items() if alice.tried(*question).returncode == 0}

    def heard() -> None:
        for where in ("batch", "interactive"):
            site[where].run("condor_reconfig", "-schedd", f"{where}@")

    assert opened() == set(), "signed with a key of the pool, and on no list"
    manager = site["central-manager"]
    near = ("leavers.map", "people-tokens.map")
    words = [word for name in near for word in (
        "collector,negotiator", str(shared / name), str(manager.folder / "lib" / "growing" / name))]  # fmt: skip
    beside = _folder(manager.folder / "beside-lists")
    quick = Container("lists", beside, manager.environment | {"MLINFN_LOOK_SECONDS": "0.2"})
    with running(quick, str(ROOT / "images" / "keep-near"), *words):
        write_map(shared / "people-tokens.map", issuer.listed("alice"), 0o640)
        heard()
        wait_until(lambda: opened() == questions.keys(), 30, "she is listed everywhere")
        write_map(shared / "leavers.map", f"* alice {now}\n")
        heard()
        wait_until(lambda: opened() == set(), 30, "she has left everywhere")
        write_map(shared / "leavers.map", "")
        write_map(shared / "people-tokens.map", issuer.listed("bob"), 0o640)
        heard()
        wait_until(lambda: opened() == set(), 30, "she is listed no more")
    # What is on no list of roles either is nobody's, whoever it says it is.
    unknown = tmp_path / "unknown"
    unknown.mkdir(mode=0o700)
    write_private(unknown / "admin", signed(issuer.key_file, "ml.example.org", "admin", now).encode())
    assert site["client"].holding(unknown).tried(*questions["batch"]).returncode != 0


def test_the_container_becomes_its_program_and_its_secrets_are_nobody_elses(site):
    batch = site["batch"]
    pid = {"MLINFN_PROBE_PID": str(batch.process.pid)}
    asked = Container("batch", batch.folder, batch.environment | pid)
    assert asked.probe("process-runs", "condor_master").returncode == 0
    assert asked.probe("process-runs", "mlinfn").returncode == 1
    copies = [path for path in (batch.folder / "run" / "secrets").rglob("*") if path.is_file()]
    assert {path.name for path in copies} >= {"POOL", "sessions", "condor"}
    assert {path.stat().st_mode & 0o777 for path in copies} == {0o600}
