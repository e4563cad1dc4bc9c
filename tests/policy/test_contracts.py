"""Contracts, rendered, read by HTCondor's own parser: who starts, leaves, owns, is counted, and when."""

import time

import pytest
from jobs import job, written
from policy import Expression, Policy
from slot_ads import slot, wants

from mlinfn_condor.contracts.render import render
from mlinfn_condor.contracts.settings import parse

CONTRACTS = """
[pool]
projects = ["alpha", "beta"]
[pool.nodes.server1]
cpus = 8
gpus = { T4 = 8, RTX5000 = 5 }
[pool.nodes.server2]
gpus = { A100 = 2 }
fpgas = { U50 = 2 }
[pledges.batch]
alpha = { devices = 10, cpus = 4 }
[owners.alpha]
devices = ["GPU-a", "GPU-b"]
[owners.beta]
nodes = ["server2"]
[[headroom]]
model = "T4"
free = 2
hours = "8-20"
days = "mon-fri"
[[headroom]]
model = "A100"
free = 1
[[windows]]
models = ["RTX5000", "U50"]
hours = "22-6"
days = "fri"
running = "leaves"
[limits]
devices_per_user = 6
hours_per_job = 48
[limits.projects]
beta = 3
"""
MONDAY = time.mktime((2026, 11, 2, 0, 0, 0, 0, 0, -1))
HOUR, DAY = 3600, 86400
T4 = Expression('{ [ DeviceModel = "T4" ], [ DeviceModel = "T4" ], [ DeviceModel = "T4" ] }')
MIXED = Expression('{ [ DeviceModel = "T4" ], [ DeviceModel = "T4" ], [ DeviceModel = "RTX5000" ] }')


@pytest.fixture(scope="module")
def contracted(tmp_path_factory, installed):
    """The policy with these contracts, at the hour that the job or slot tells in `At`, for the tests alone."""
    site = render(parse(CONTRACTS, "contracts")) + "MLINFN_CLOCK = (MY.At)\n"
    policy = Policy(tmp_path_factory.mktemp("policy"), installed.bin, site=site)
    yield policy
    policy.close()


def starts(policy, at, gpus, who, node="server1", **attributes):
    where = {"Name": f"slot5@{node}@host", "PartitionableSlot": True, "AvailableGPUs": gpus, "At": at, **attributes}
    return policy.evaluate(policy.knob("START"), slot("opportunistic", **where), who)


def batch_job(models="any", gpus=1, **attributes):
    return wants("batch", RequestGPUs=gpus, MlinfnModels=models, **attributes)


def listed(*models):
    return Expression("{ " + ", ".join(f'[ DeviceModel = "{model}" ]' for model in models) + " }")


@pytest.mark.parametrize(
    ("at", "free", "models", "gpus", "verdict"),
    [
        (10 * HOUR, ["T4"] * 3, "T4", 1, True),
        (10 * HOUR, ["T4"] * 2, "T4", 1, False),
        (10 * HOUR, ["T4"] * 3, "T4", 2, False),
        (10 * HOUR, ["T4"] * 2, "any", 1, False),
        (10 * HOUR, ["T4", "T4", "RTX5000"], "any", 1, True),
        (10 * HOUR, ["T4", "T4", "RTX5000"], "any", 2, False),
        (10 * HOUR, ["T4", "T4", "RTX5000"], "RTX5000", 1, True),
        (10 * HOUR, ["RTX5000", "T4"], "RTX5000", 1, True),
        (10 * HOUR, ["RTX5000", "T4"], "T4,RTX5000", 1, False),
        (7 * HOUR, ["T4"] * 2, "T4", 1, True),
        (20 * HOUR, ["T4"], "T4", 1, True),
        (5 * DAY + 10 * HOUR, ["T4"], "T4", 1, True),
        (4 * DAY + 23 * HOUR, ["RTX5000"], "RTX5000", 1, False),
        (5 * DAY + 5 * HOUR, ["RTX5000"], "any", 1, False),
        (5 * DAY + 6 * HOUR, ["RTX5000"], "any", 1, True),
        (4 * DAY + 5 * HOUR, ["RTX5000"], "any", 1, True),
    ],
)
def test_batch_starts_while_the_hour_lets_it(contracted, at, free, models, gpus, verdict):
    assert starts(contracted, MONDAY + at, listed(*free), batch_job(models, gpus)) is verdict


def test_a_job_that_does_not_tell_its_models_is_taken_for_one_that_takes_any(contracted):
    at = MONDAY + 10 * HOUR
    assert starts(contracted, at, listed("T4", "T4"), wants("batch", RequestGPUs=1)) is False


def test_dask_is_not_held_back(contracted):
    assert starts(contracted, MONDAY + 10 * HOUR, listed("T4"), wants("dask", RequestGPUs=1)) is True


def test_a_device_that_batch_holds_already_may_go_to_other_batch(contracted):
    """It is no more free afterwards than before; the slot of one job is not partitionable."""
    assert starts(contracted, MONDAY + 10 * HOUR, listed("T4"), batch_job("T4"), PartitionableSlot=False) is True


def test_a_node_holds_back_its_own_part_alone(contracted):
    at = MONDAY + 10 * HOUR
    assert starts(contracted, at, listed("A100"), batch_job("A100"), node="server1") is True
    assert starts(contracted, at, listed("A100"), batch_job("A100"), node="server2") is False


@pytest.mark.parametrize(
    ("at", "attributes", "leaves"),
    [
        (4 * DAY + 22 * HOUR, {"PriorityClass": "batch", "GPUs_DeviceModel": "RTX5000"}, True),
        (4 * DAY + 21 * HOUR, {"PriorityClass": "batch", "GPUs_DeviceModel": "RTX5000"}, False),
        (4 * DAY + 22 * HOUR, {"PriorityClass": "batch", "GPUs_DeviceModel": "T4"}, False),
        (4 * DAY + 22 * HOUR, {"PriorityClass": "batch", "FPGAs_DeviceModel": "U50"}, True),
        (4 * DAY + 22 * HOUR, {"PriorityClass": "dask", "GPUs_DeviceModel": "RTX5000"}, False),
        (4 * DAY + 22 * HOUR, {}, False),
    ],
)
def test_batch_leaves_when_a_window_closes(contracted, at, attributes, leaves):
    running = slot("opportunistic", At=MONDAY + at, **attributes)
    assert contracted.evaluate(contracted.knob("PREEMPT"), running) is leaves


@pytest.mark.parametrize(
    ("attributes", "owner"),
    [
        ({"AssignedGPUs": "GPU-a"}, "alpha"),
        ({"AssignedGPUs": "GPU-a,GPU-b"}, "alpha"),
        ({"AssignedGPUs": "GPU-a,GPU-c"}, ""),
        ({"AssignedGPUs": "GPU-c", "GPUs_OwnerProject": "beta"}, "beta"),
        ({"AssignedGPUs": "GPU-z", "Name": "slot5_1@server2@host"}, "beta"),
        ({"AssignedGPUs": "GPU-a", "Name": "slot5_1@server2@host"}, "alpha"),
        ({}, ""),
    ],
    ids=str,
)
def test_a_device_ranks_the_project_that_owns_it(contracted, attributes, owner):
    where = slot("opportunistic", **{"Name": "slot5_1@server1@host", **attributes})
    ranks = {
        p: contracted.evaluate(contracted.knob("RANK"), where, wants("batch", Project=p)) for p in ("alpha", "beta")
    }
    assert ranks == {project: 200 if project == owner else 0 for project in ranks}


def test_a_pledge_is_a_quota_in_slot_weights(contracted):
    assert contracted.evaluate(contracted.knob("GROUP_QUOTA_group_batch.alpha")) == 10 * 16 + 4
    assert "group_dask.beta" in contracted.words("GROUP_NAMES")


@pytest.mark.parametrize(
    ("attributes", "models"),
    [
        ({"RequestGPUs": 1}, "any"),
        ({"RequestGPUs": 1, "RequireGPUs": written('DeviceModel == "T4"')}, "T4,"),
        ({"RequestGPUs": 1, "RequireGPUs": written('DeviceModel != "T4"')}, "A100,RTX5000,"),
        ({"RequestGPUs": 1, "RequireGPUs": written("GlobalMemoryMb > 1000")}, "any"),
        ({"RequestFPGAs": 1, "RequireFPGAs": written('DeviceModel == "U50"')}, "U50,"),
        ({"RequestGPUs": 1, "RequireGPUs": written('DeviceModel == "V100"')}, "any"),
    ],
    ids=str,
)
def test_a_job_tells_which_models_it_takes(contracted, attributes, models):
    assert contracted.transform(job(**attributes))["MlinfnModels"] == models


def test_running_devices_are_counted_by_user_and_project(contracted):
    done = contracted.transform(job(RequestGPUs=2, Owner="alice"))
    assert done["ConcurrencyLimits"] == "devices_of_user.alice:2,devices_of_project.alpha:2"
    assert contracted.refusal(done) is None
    assert contracted.knob("CONCURRENCY_LIMIT_DEFAULT_DEVICES_OF_USER") == "6"
    assert contracted.knob("DEVICES_OF_PROJECT.BETA_LIMIT") == "3"


@pytest.mark.parametrize(
    "own", ["devices_of_user.bob:100", "licence", "devices_of_user.alice:1,devices_of_project.alpha:1"]
)
def test_limits_of_a_users_own_are_refused(contracted, own):
    assert "concurrency_limits" in contracted.refusal(job(RequestGPUs=2, ConcurrencyLimits=own))


def test_without_contracts_nothing_is_counted_or_held_back(batch):
    done = batch.transform(job(RequestGPUs=2))
    assert done["ConcurrencyLimits"] == "undefined"
    assert "AllowedExecuteDuration" not in done or done["AllowedExecuteDuration"] == "undefined"


@pytest.mark.parametrize(("asked", "given"), [(None, 172800), (60, 60), (10**6, 172800)])
def test_the_hours_of_an_attempt_are_bounded(contracted, asked, given):
    assert contracted.transform(job(AllowedExecuteDuration=asked))["AllowedExecuteDuration"] == given


def test_sessions_have_no_such_bounds(contracted):
    done = contracted.transform(job(PriorityClass="interactive", RequestGPUs=1))
    assert done["ConcurrencyLimits"] == "undefined"
    assert done.get("AllowedExecuteDuration", "undefined") == "undefined"


def lent(**attributes):
    plain = {
        "PriorityClass": "batch",
        "RemoteOwner": "bob@demo",
        "RemoteGroup": "group_batch.beta",
        "SlotWeight": 16.0,
        "DSlotId": 1,
    }
    return {**plain, "RemoteGroupResourcesInUse": 64.0, "RemoteGroupQuota": 32.0, **attributes}


def claimant(**attributes):
    plain = {"PriorityClass": "batch", "Owner": "alice", "SubmitterGroup": "group_batch.alpha"}
    return {**plain, "SubmitterGroupResourcesInUse": 16.0, "SubmitterGroupQuota": 160.0, **attributes}


def displaced(policy, running, wanting, slots=range(1, 5)):
    """How many of these slots are taken in each of sixteen cycles, one after the other."""
    requirements = policy.knob("PREEMPTION_REQUIREMENTS").replace(policy.knob("MLINFN_CYCLE"), "(MY.Cycle)")
    return [
        sum(policy.evaluate(requirements, {**running, "DSlotId": number, "Cycle": cycle}, wanting) for number in slots)
        for cycle in range(16)
    ]


@pytest.mark.parametrize("pair", [(lent(), claimant()), (lent(PriorityClass="dask"), claimant(PriorityClass="dask"))])
def test_a_pledge_is_had_back_from_who_is_above_his(contracted, pair):
    assert (
        displaced(contracted, *pair) == [2, 0, 0, 0] * 4
    )  # of four devices, two are pledged: one cycle, then it counts


def test_of_a_small_surplus_each_device_has_its_turn(contracted):
    few = lent(RemoteGroupResourcesInUse=16.0 * 12, RemoteGroupQuota=16.0 * 11)
    by_cycle = displaced(contracted, few, claimant(), range(1, 13))
    assert by_cycle == [3, 0, 0, 0] * 4  # a quarter: twelve devices in four times


@pytest.mark.parametrize(
    ("running", "wanting"),
    [
        (lent(RemoteGroupResourcesInUse=40.0), claimant()),
        (lent(), claimant(SubmitterGroupResourcesInUse=150.0)),
        (lent(), claimant(SubmitterGroupQuota=0.0)),
        (lent(RemoteGroup="group_batch.alpha"), claimant()),
        (lent(PriorityClass="interactive"), claimant(PriorityClass="interactive")),
        (lent(PriorityClass="dask"), claimant()),
        (lent(PriorityClass=None), claimant(PriorityClass=None)),
        (lent(RemoteGroupQuota=None), claimant()),
    ],
    ids=str,
)
def test_and_from_nobody_else(contracted, running, wanting):
    ads = [{name: value for name, value in ad.items() if value is not None} for ad in (running, wanting)]
    assert displaced(contracted, *ads) == [0] * 16


def test_fairness_takes_nothing_from_a_pledge_that_is_not_exceeded(contracted):
    greedy = {"RemoteUserPrio": 9000.0, "JobStart": 1}
    modest = claimant(SubmitterUserPrio=1.0, SubmitterGroupQuota=0.0)  # no pledge of his own
    assert any(displaced(contracted, lent(**greedy), modest))
    assert not any(displaced(contracted, lent(**greedy, RemoteGroupResourcesInUse=32.0), modest))
