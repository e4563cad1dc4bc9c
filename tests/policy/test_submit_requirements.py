"""What an access point takes and what it refuses, and that each refusal says what to do instead."""

import pytest
from jobs import job, session, written

CLASS_UNKNOWN = 'PriorityClass "{}" is unknown: say +PriorityClass = "batch" or "dask"'
CHARGED = "This job is charged to group_batch.alpha and user alice: leave accounting_group"
FOREIGN = "is not one of yours: leave +Project out or choose from alpha,beta."
ON_NODES = "Programs run on nodes, not on the access point: use universe = vanilla or container."
WRONG_POINT = "This access point takes dask,batch, not interactive: submit with -name interactive@."


@pytest.mark.parametrize(
    "good",
    [
        job(),
        job(PriorityClass="batch"),
        job(PriorityClass="Dask"),
        job(Project="beta"),
        job(Owner="bob"),
        job(RequestGPUs=2, RequestFPGAs=0),
        job(AcctGroup="group_batch.alpha", AcctGroupUser="alice", AccountingGroup="group_batch.alpha.alice"),
        job(WantContainer=True, ContainerImage="image.sif"),
        job(Rank=written("TARGET.Memory"), JobPrio=5, MlinfnOffer="session"),
    ],
    ids=str,
)
def test_the_batch_access_point_takes(batch, good):
    assert batch.refusal(good) is None


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (job(Owner="mallory"), "User mallory belongs to no project of this pool: ask the leader of your project"),
        (job(Owner=written('strcat("al", "ice2")')), "User alice2 belongs to no project"),
        (job(PriorityClass="bacth"), CLASS_UNKNOWN.format("bacth")),
        (job(PriorityClass=""), CLASS_UNKNOWN.format("")),
        (job(PriorityClass=1), CLASS_UNKNOWN.format("not a word")),
        (job(PriorityClass=written("1/0")), CLASS_UNKNOWN.format("not a word")),
        (job(PriorityClass="batch,dask"), CLASS_UNKNOWN.format("batch,dask")),
        (job(PriorityClass="interactive"), WRONG_POINT),
        (job(priorityclass="INTERACTIVE"), WRONG_POINT),
        (job(PriorityClass=written('ifThenElse(time() > 0, "interactive", "batch")')), WRONG_POINT),
        (job(Project="gamma"), f'Project "gamma" {FOREIGN}'),
        (job(Project="alpha,beta"), f'Project "alpha,beta" {FOREIGN}'),
        (job(Project=""), f'Project "" {FOREIGN}'),
        (job(Project=7), f"Project as you wrote it {FOREIGN}"),
        (job(Owner="bob", Project="alpha"), "choose from beta."),
        (job(AcctGroup="group_interactive.alpha"), CHARGED),
        (job(AcctGroup="group_batch.beta"), CHARGED),
        (job(AcctGroupUser="bob"), CHARGED),
        (job(AccountingGroup="group_batch.alpha.bob"), CHARGED),
        (job(AccountingGroup=written('strcat("group_batch.", "beta.bob")')), CHARGED),
        (job(accountinggroup="alice"), CHARGED),
        (job(AcctGroup=written("1/0")), CHARGED),
        (job(AcctGroup="nice-user", NiceUser=True), CHARGED),
        (job(JobUniverse=12), ON_NODES),
        (job(JobUniverse=9), ON_NODES),
        (job(JobUniverse=7), ON_NODES),
        (job(JobUniverse=None), ON_NODES),
        (job(JobUniverse=7, Cmd="/usr/bin/condor_dagman"), "DAGs do not run on this access point: chain your jobs"),
        (job(TransformOnEvict="mine"), "A job cannot change itself when it is evicted: leave retry_request_memory"),
    ],
    ids=str,
)
def test_the_batch_access_point_refuses(batch, bad, reason):
    assert reason in (batch.refusal(bad) or "taken")


def test_the_hub_submits_in_the_name_of_a_user(interactive):
    assert interactive.refusal(session()) is None
    assert interactive.transform(session())["AccountingGroup"] == "group_interactive.alpha.alice"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (session(AuthTokenSubject="alice@demo"), "Sessions are started by the hub: open one in your browser"),
        (session(AuthTokenSubject="hubble@demo"), "Sessions are started by the hub"),
        (session(AuthTokenSubject=None), "Sessions are started by the hub"),
        (session(AuthTokenSubject="*@demo"), "Sessions are started by the hub"),
        (session(PriorityClass="batch"), "This access point takes interactive, not batch: submit with -name batch@."),
        (session(PriorityClass=None), "This access point takes interactive, not batch"),
        (session(PriorityClass="dask"), "This access point takes interactive, not dask"),
        (session(Project="gamma"), f'Project "gamma" {FOREIGN}'),
        (session(JobUniverse=7, Cmd="/usr/bin/condor_dagman"), "DAGs do not run on this access point"),
    ],
    ids=str,
)
def test_the_interactive_access_point_refuses(interactive, bad, reason):
    assert reason in (interactive.refusal(bad) or "taken")


def test_a_site_may_let_each_user_start_sessions_of_his_own(open_interactive):
    assert open_interactive.refusal(session(AuthTokenSubject="alice@demo")) is None


def test_a_site_may_allow_dagman_and_nothing_else_on_the_access_point(with_dagman):
    assert with_dagman.refusal(job(JobUniverse=7, Cmd="/usr/bin/condor_dagman")) is None
    assert with_dagman.refusal(job(JobUniverse=7, Cmd="/home/alice/my_condor_dagman")) == ON_NODES
    assert with_dagman.refusal(job(JobUniverse=12, Cmd="/usr/bin/condor_dagman")) == ON_NODES


CHECKED = ["PriorityClass", "Project", "AcctGroup", "AcctGroupUser", "AccountingGroup", "NiceUser", "RequestCpus"]
CHECKED += ["RequestMemory", "RequestDisk", "RequestGPUs", "RequestFPGAs", "JobMaxVacateTime", "JobLeaseDuration"]
CHECKED += ["KeepClaimIdle", "TransformOnEvict"]


@pytest.mark.parametrize("attribute", CHECKED)
def test_what_was_checked_at_submit_cannot_be_edited(batch, interactive, attribute):
    assert attribute in batch.words("IMMUTABLE_JOB_ATTRS")
    assert attribute in interactive.words("IMMUTABLE_JOB_ATTRS")


@pytest.mark.parametrize("attribute", ["Owner", "User", "JobUniverse"])
def test_htcondor_itself_keeps_the_owner_and_the_universe(batch, attribute):
    assert attribute in batch.words("SYSTEM_IMMUTABLE_JOB_ATTRS")


def test_each_requirement_has_a_reason(batch):
    names = batch.words("SUBMIT_REQUIREMENT_NAMES")
    assert len(names) == len(set(names)) > 10
    assert [name for name in names if not batch.knob(f"SUBMIT_REQUIREMENT_{name}_REASON")] == []
