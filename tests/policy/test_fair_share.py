"""Accounting groups, their order, and the only fair-share preemption there is: batch by batch."""

import time

import pytest

CLASSES = ["interactive", "dask", "batch"]
LONG_AGO = 100_000


def group(name: str, used: float = 0, quota: float = 0) -> dict[str, object]:
    return {"AccountingGroup": name, "GroupResourcesInUse": used, "GroupQuota": quota}


def test_classes_are_on_top_and_projects_below(batch):
    names = batch.words("GROUP_NAMES")
    assert names[:3] == [f"group_{name}" for name in CLASSES]
    assert names[3:] == ["group_batch.alpha", "group_batch.beta"]


def test_no_class_is_limited_and_nothing_lies_idle(batch):
    assert {batch.knob(f"GROUP_QUOTA_DYNAMIC_group_{name}") for name in CLASSES} == {"1.0"}
    for knob in ("GROUP_ACCEPT_SURPLUS", "NEGOTIATOR_ALLOW_QUOTA_OVERSUBSCRIPTION"):
        assert batch.evaluate(batch.knob(knob)) is True


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (group("group_interactive.alpha", used=100), group("group_dask.alpha")),
        (group("group_interactive.alpha", used=1e9, quota=1), group("group_dask.alpha", quota=5)),
        (group("group_dask.alpha", used=100), group("group_batch.alpha", quota=10)),
        (group("group_batch.alpha", used=2, quota=10), group("group_batch.beta", used=9, quota=10)),
        (group("group_batch.alpha", used=9, quota=10), group("group_batch.beta", used=0, quota=0)),
        (group("group_batch.alpha", used=16), group("group_batch.beta", used=32)),
        (group("group_batch.alpha", used=1e9), group("<none>")),
        (group("group_dask.alpha", used=1e9), group("group_batch.beta")),
        (group("group_batch.alpha", used=1e9, quota=1), group("<none>")),
    ],
)
def test_groups_are_negotiated_by_class_and_then_by_what_they_lack(batch, first, second):
    order = batch.knob("GROUP_SORT_EXPR")
    assert batch.evaluate(order, first) < batch.evaluate(order, second)


def slot(**attributes: object) -> dict[str, object]:
    started = int(time.time()) - LONG_AGO
    plain = {"PriorityClass": "batch", "RemoteOwner": "alice@demo", "RemoteUserPrio": 4000.0, "JobStart": started}
    plain |= {"RemoteGroup": "group_batch.alpha", "RemoteGroupResourcesInUse": 48, "RemoteUserResourcesInUse": 3}
    plain |= {"SlotWeight": 16.0, "DSlotId": 1}
    return {name: value for name, value in {**plain, **attributes}.items() if value is not None}


def timeless(ad: dict[str, object]) -> str:
    """A name that is the same for each process that collects the tests."""
    return str({name: value for name, value in ad.items() if name != "JobStart"})


def challenger(**attributes: object) -> dict[str, object]:
    plain = {"PriorityClass": "batch", "Owner": "bob", "SubmitterUserPrio": 1000.0}
    plain |= {"SubmitterGroup": "group_batch.beta", "SubmitterGroupResourcesInUse": 16}
    return {name: value for name, value in {**plain, **attributes}.items() if value is not None}


def displaced(policy, running, wanting) -> object:
    """Whether it is, when its turn comes."""
    return any(turns(policy, running, wanting))


def turns(policy, running, wanting) -> list[object]:
    """The verdicts of sixteen cycles, one after the other."""
    requirements = policy.knob("PREEMPTION_REQUIREMENTS").replace(policy.knob("MLINFN_CYCLE"), "(MY.Cycle)")
    verdicts = [policy.evaluate(requirements, {**running, "Cycle": cycle}, wanting) for cycle in range(16)]
    assert set(verdicts) <= {True, False}
    return verdicts


def test_batch_makes_room_for_batch_of_somebody_who_had_less(batch):
    assert displaced(batch, slot(), challenger()) is True


def test_within_a_project_users_are_compared(batch):
    assert displaced(batch, slot(RemoteGroup="group_batch.beta"), challenger(SubmitterUserResourcesInUse=1)) is True


def test_who_has_nothing_gets_the_last_device_of_who_had_clearly_more(batch):
    last = slot(RemoteGroupResourcesInUse=16)
    assert displaced(batch, last, challenger(SubmitterGroupResourcesInUse=0)) is True


def test_in_one_cycle_of_four_a_quarter_of_the_devices_may_change_hands(batch):
    verdicts = [turns(batch, slot(DSlotId=number), challenger()) for number in range(8)]
    assert [sum(cycle) for cycle in zip(*verdicts, strict=True)] == [2, 0, 0, 0] * 4


@pytest.mark.parametrize(
    ("running", "wanting"),
    [
        (slot(PriorityClass="interactive"), challenger()),
        (slot(PriorityClass="dask"), challenger()),
        (slot(PriorityClass=None), challenger()),
        (slot(), challenger(PriorityClass="dask")),
        (slot(), challenger(PriorityClass="interactive")),
        (slot(), challenger(Owner="alice")),
        (slot(), challenger(Owner=None)),
        (slot(RemoteOwner=None), challenger()),
        (slot(RemoteUserPrio=1499.0), challenger()),
        (slot(RemoteUserPrio=None), challenger()),
        (slot(JobStart=None), challenger()),
        (slot(RemoteGroupResourcesInUse=32), challenger()),
        (slot(RemoteGroupResourcesInUse=None), challenger()),
        (slot(RemoteGroup="group_batch.beta"), challenger(SubmitterUserResourcesInUse=2)),
        (slot(RemoteGroup="group_batch.beta"), challenger()),
    ],
    ids=timeless,
)
def test_nothing_else_is_preempted_for_fair_share(batch, running, wanting):
    assert displaced(batch, running, wanting) is False


def test_a_job_that_has_just_begun_is_left_alone(batch):
    # Not a parameter: those are made when the tests are collected, which may be long ago.
    assert displaced(batch, slot(JobStart=int(time.time())), challenger()) is False


@pytest.mark.parametrize(
    ("held", "goes"),
    [
        ({"GPUs_DeviceModel": "T4"}, False),
        ({"GPUs_DeviceModel": "A100"}, True),
        ({"FPGAs_DeviceModel": "U50"}, False),
        ({}, False),
    ],
    ids=str,
)
def test_nobody_is_displaced_for_what_a_node_can_still_be_added_for(growing, held, goes):
    running = slot(JobStart=int(time.time()) - LONG_AGO, **held)
    assert displaced(growing, running, challenger()) is goes


def test_the_greediest_user_goes_first_and_loses_least(batch):
    rank = batch.knob("PREEMPTION_RANK")
    fresh, old = slot(JobStart=int(time.time()) - 5000), slot()
    modest = slot(RemoteUserPrio=3000.0, JobStart=int(time.time()) - 5000)
    assert batch.evaluate(rank, fresh) > batch.evaluate(rank, old) > batch.evaluate(rank, modest)


def test_usage_is_forgiven_within_days_and_factors_leave_room_to_favour(batch):
    assert float(batch.knob("PRIORITY_HALFLIFE")) == 86400
    assert float(batch.knob("DEFAULT_PRIO_FACTOR")) > 1
