"""Admission on a real pool: refusals in the pool's words, and no way round them after the submit or past it."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, cleared

from mlinfn_condor.embedded import secrets
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.embedded.lifecycle import RunningPool

BATCH, INTERACTIVE = "batch@", "interactive@"
SESSION = '+PriorityClass = "interactive"'
JOB = "executable = /bin/sleep\narguments = 0\ntransfer_executable = false\nshould_transfer_files = NO\nhold = true\n"
STRANGERS = ("glidein", "mallory")


@pytest.fixture(scope="module")
def pool(running_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Driver]:
    """The pool with tokens of a glidein and of somebody without a project; jobs are only held, so none runs."""
    for identity in STRANGERS:
        secrets.issue(running_pool.layout, running_pool.distribution, identity, running_pool.layout.tokens_of(identity))
    with cleared(Driver(running_pool, tmp_path_factory.mktemp("admission"))) as driver:
        yield driver


def submit(pool: Driver, *lines: str, user: str = "alice", at: str = BATCH, queue: str = "1"):
    file = pool.folder / "job.sub"
    file.write_text(JOB + "\n".join(lines) + f"\nqueue {queue}\n")
    return pool.run("condor_submit", "-terse", "-name", at, str(file), user=user, check=False)


def refusal(pool: Driver, *lines: str, **how: str) -> str:
    """What condor_submit says when the access point refuses; fails when it takes the job."""
    done = submit(pool, *lines, **how)
    assert done.returncode != 0, f"taken: {done.stdout}"
    return done.stdout + done.stderr


def admitted(pool: Driver, *lines: str, at: str = BATCH, **how: str) -> dict:
    """The job's ad as it stands in the queue."""
    done = submit(pool, *lines, at=at, **how)
    assert done.returncode == 0, done.stderr
    cluster = done.stdout.split(".")[0]
    (ad,) = pool.query("condor_q", "-name", at, "-all", "-constraint", f"ClusterId == {cluster}")
    return ad


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ('+PriorityClass = "bacth"', 'PriorityClass "bacth" is unknown: say +PriorityClass = "batch" or "dask"'),
        (SESSION, "This access point takes dask,batch, not interactive: submit with -name interactive@."),
        ('MY.PriorityClass = "interactive"', "submit with -name interactive@."),
        ('+PRIORITYCLASS = ifThenElse(time() > 0, "interactive", "batch")', "submit with -name interactive@."),
        ('+Project = "beta"', 'Project "beta" is not one of yours: leave +Project out or choose from alpha.'),
        ("accounting_group_user = bob", "This job is charged to group_batch.alpha and user alice"),
        ('+AccountingGroup = "group_interactive.beta.bob"', "This job is charged to group_batch.alpha and user alice"),
        ("nice_user = true", "This job is charged to group_batch.alpha and user alice"),
        ('+Owner = "bob"', "Setting owner to bob when active owner is alice is not permitted"),
        ("request_cpus = -1", "request_cpus is -1: ask for a whole number from 1 to 256."),
        ("request_cpus = ifThenElse(TARGET.Cpus > 0, 100, 1)", "request_cpus is no number"),
        ("request_memory = 90TB", "ask for 1 to 2000000 MB, a number known at submit."),
        ("request_gpus = 99", "request_gpus is 99: ask for a whole number from 0 to 16."),
        ("universe = local", "Programs run on nodes, not on the access point"),
        ("universe = scheduler", "Programs run on nodes, not on the access point"),
        ("retry_request_memory = 4GB", "A job cannot change itself when it is evicted: leave retry_request_memory"),
    ],
)
def test_a_refusal_says_what_to_do(pool, line, words):
    assert words in refusal(pool, line)


def test_a_user_without_a_project_is_refused(pool):
    assert "User mallory belongs to no project of this pool" in refusal(pool, user="mallory")


def test_one_bad_job_of_many_refuses_them_all(pool):
    assert "request_cpus is 999" in refusal(pool, "request_cpus = $(n)", queue="n in 1 1 999")
    assert pool.query("condor_q", "-name", BATCH, "-all", "-constraint", "RequestCpus == 999") == []


@pytest.mark.parametrize("late", ["max_idle = 1", "max_materialize = 1"])
def test_a_submit_cannot_put_off_the_check_of_its_later_jobs(pool, late):
    assert "request_cpus is 999" in refusal(pool, late, "request_cpus = $(n)", queue="n in 1 999")


def test_the_pool_fills_in_class_project_and_group(pool):
    ad = admitted(pool, '+PriorityClass = "Dask"', '+Project = "beta"', "job_max_vacate_time = 9999", user="carol")
    assert (ad["PriorityClass"], ad["Project"]) == ("dask", "beta")
    assert (ad["AcctGroup"], ad["AcctGroupUser"]) == ("group_dask.beta", "carol")
    assert ad["AccountingGroup"] == "group_dask.beta.carol"
    assert ad["JobMaxVacateTime"] == 120


def test_a_claimed_identity_is_ignored(pool):
    ad = admitted(pool, '+User = "bob@test"', '+AuthTokenSubject = "hub@test"')
    assert (ad["Owner"], ad["User"], ad["AuthTokenSubject"]) == ("alice", "alice@test", "alice@test")


def test_a_user_has_few_small_sessions(pool):
    taken = [submit(pool, SESSION, at=INTERACTIVE, user="bob") for _ in range(4)]
    assert [done.returncode == 0 for done in taken] == [True, True, True, False]
    assert "MAX_JOBS_PER_OWNER" in taken[3].stderr
    assert "A session has at most 32 CPUs" in refusal(pool, SESSION, "request_cpus = 33", at=INTERACTIVE)
    assert "This access point takes interactive, not batch: submit with -name batch@." in refusal(pool, at=INTERACTIVE)


EDITS = {
    "PriorityClass": '"interactive"',
    "Project": '"beta"',
    "AcctGroup": '"group_interactive.beta"',
    "AcctGroupUser": '"bob"',
    "AccountingGroup": '"group_interactive.beta.bob"',
    "RequestCpus": "1000",
    "requestmemory": "99999999",
    "RequestGPUs": "16",
    "RequestFPGAs": "16",
    "JobMaxVacateTime": "99999",
    "TransformOnEvict": '"mine"',
    "Owner": '"bob"',
    "User": '"bob@test"',
    "AuthTokenSubject": '"hub@test"',
    "JobUniverse": "7",
}


@pytest.fixture(scope="module")
def mine(pool: Driver) -> str:
    return str(admitted(pool)["ClusterId"])


@pytest.mark.parametrize("attribute", EDITS)
@pytest.mark.parametrize("user", ["alice", "admin"])
def test_what_was_admitted_cannot_be_edited(pool, mine, attribute, user):
    done = pool.run("condor_qedit", "-name", BATCH, mine, attribute, EDITS[attribute], user=user, check=False)
    assert done.returncode != 0
    assert "is not allowed" in done.stdout + done.stderr


def test_a_user_orders_his_own_jobs_and_nobody_elses(pool, mine):
    prefer = ("condor_qedit", "-name", BATCH, mine, "JobPrio", "5")
    assert pool.run(*prefer, check=False).returncode == 0
    assert pool.run(*prefer, user="bob", check=False).returncode != 0
    pool.run("condor_rm", "-name", BATCH, mine, user="bob", check=False)
    assert pool.run(*prefer, user="admin", check=False).returncode == 0
    (left,) = pool.query("condor_q", "-name", BATCH, "-all", "-constraint", f"ClusterId == {mine}")
    assert left["JobPrio"] == 5


def advertise(pool: Driver, user: str, command: str, kind: str) -> subprocess.CompletedProcess[str]:
    file = pool.folder / "false.ad"
    file.write_text(f'MyType = "{kind}"\nName = "false@nowhere"\nMyAddress = "<127.0.0.1:1>"\n')
    return pool.run("condor_advertise", command, str(file), user=user, check=False)


@pytest.mark.parametrize("user", ["alice", "admin", "glidein"])
@pytest.mark.parametrize(
    ("command", "kind"),
    [("UPDATE_SCHEDD_AD", "Scheduler"), ("UPDATE_MASTER_AD", "DaemonMaster"), ("UPDATE_AD_GENERIC", "Generic")],
)
def test_nobody_poses_as_a_daemon(pool, user, command, kind):
    assert advertise(pool, user, command, kind).returncode != 0


def test_only_a_glidein_may_advertise_a_slot(pool):
    assert advertise(pool, "alice", "UPDATE_STARTD_AD", "Machine").returncode != 0
    assert advertise(pool, "glidein", "UPDATE_STARTD_AD", "Machine").returncode == 0
    query = pool.folder / "query.ad"
    query.write_text('MyType = "Query"\nTargetType = "Machine"\nRequirements = Name == "false@nowhere"\n')
    assert pool.run("condor_advertise", "INVALIDATE_STARTD_ADS", str(query), user="glidein").returncode == 0


COMMANDS = {
    "stop the pool": ("condor_off", "-daemon", "schedd"),
    "reconfigure it": ("condor_reconfig",),
    "favour himself": ("condor_userprio", "-setfactor", "group_batch.alpha.alice@test", "1"),
    "forgive himself": ("condor_userprio", "-resetusage", "group_batch.alpha.alice@test"),
    "fetch a token": ("condor_token_fetch", "-type", "SCHEDD", "-name", BATCH),
    "add a user": ("condor_qusers", "-name", BATCH, "-add", "eve@test"),
}


@pytest.mark.parametrize("wish", COMMANDS)
@pytest.mark.parametrize("user", ["alice", "glidein"])
def test_a_user_cannot(pool, wish, user):
    assert pool.run(*COMMANDS[wish], user=user, check=False).returncode != 0


def test_an_administrator_can(pool):
    assert (
        pool.run("condor_userprio", "-setfactor", "group_batch.alpha.alice@test", "1000", user="admin").returncode == 0
    )


@pytest.mark.parametrize("look", [("condor_q", "-all"), ("condor_status", "-any")])
def test_a_glidein_reads_nothing(pool, look):
    assert pool.run(*look, user="glidein", check=False).returncode != 0


@pytest.mark.parametrize("look", [("condor_q", "-name", BATCH, "-all"), ("condor_status", "-any")])
def test_nobody_without_a_token_reads_anything(pool, look, tmp_path):
    assert anonymous(pool, tmp_path, *look).returncode != 0


def test_nobody_without_a_token_gets_one(pool, tmp_path):
    asked = ("condor_token_request", "-type", "COLLECTOR", "-identity", "alice@test")
    assert "Failed to request a new token" in anonymous(pool, tmp_path, *asked).stderr
    assert "Token request disabled" in pool.run(*asked, check=False).stderr


def anonymous(pool: Driver, folder: Path, *command: str) -> subprocess.CompletedProcess[str]:
    """A client that has neither a token nor the key with which tokens are made, and would do without."""
    places = ("TOKEN_DIRECTORY", "TOKEN_SYSTEM_DIRECTORY", "PASSWORD_DIRECTORY", "TOKEN_POOL_SIGNING_KEY_FILE")
    nothing = {f"_CONDOR_SEC_{place}": str(folder) for place in places}
    nothing |= {f"_CONDOR_SEC_CLIENT_{what}": "OPTIONAL" for what in ("AUTHENTICATION", "ENCRYPTION", "INTEGRITY")}
    environment = {**pool.pool.environment("alice"), **nothing, "HOME": str(folder)}
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_the_embedded_people_are_the_ones_these_tests_speak_of():
    assert dict(Blueprint().people) == {"alice": ("alpha",), "bob": ("beta",), "carol": ("alpha", "beta")}
