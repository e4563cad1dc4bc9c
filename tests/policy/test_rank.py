"""Whom a slot would rather have: its owner's project, then dask, then batch."""

import pytest
from slot_ads import slot, wants

OWNED = slot("opportunistic", GPUs_OwnerProject="alpha")
WHOLE_NODE_OWNED = slot("opportunistic", MlinfnOwnerProject="alpha")
OWNED_SESSION_SLOT = slot("session", GPUs_OwnerProject="alpha")


def rank(policy, slot_ad, job) -> float:
    return policy.evaluate(policy.knob("RANK"), slot_ad, job)


def owner(priority_class):
    return wants(priority_class, Project="alpha")


def guest(priority_class):
    return wants(priority_class, Project="beta")


@pytest.mark.parametrize("where", [OWNED, WHOLE_NODE_OWNED], ids=["device", "node"])
def test_owners_come_first_then_dask_then_batch(batch, where):
    order = [owner("dask"), owner("batch"), guest("dask"), guest("batch")]
    ranks = [rank(batch, where, job) for job in order]
    assert ranks == sorted(set(ranks), reverse=True)


def test_without_an_owner_only_the_class_counts(batch):
    where = slot("opportunistic")
    assert rank(batch, where, owner("batch")) == rank(batch, where, guest("batch")) < rank(batch, where, guest("dask"))


@pytest.mark.parametrize("project", [None, ""])
def test_a_job_without_a_project_owns_nothing(batch, project):
    homeless = {name: value for name, value in wants("batch", Project=project).items() if value is not None}
    assert rank(batch, OWNED, homeless) == rank(batch, OWNED, guest("batch"))


def test_a_site_says_whether_an_owner_reclaims_his_device_from_a_guests_session(batch, patient):
    ours, guests = owner("interactive"), guest("interactive")
    assert rank(batch, OWNED_SESSION_SLOT, ours) > rank(batch, OWNED_SESSION_SLOT, guests)
    assert rank(patient, OWNED_SESSION_SLOT, ours) == rank(patient, OWNED_SESSION_SLOT, guests)


def test_preemption_of_whole_partitionable_slots_stays_off(batch):
    assert batch.evaluate(batch.knob("ALLOW_PSLOT_PREEMPTION")) is False


def test_a_session_prefers_the_node_with_most_idle_devices(batch):
    order = batch.knob("NEGOTIATOR_PRE_JOB_RANK")
    busy, idle = slot("session", MlinfnIdleDevices=0), slot("session", MlinfnIdleDevices=3)
    assert batch.evaluate(order, idle, wants("interactive")) > batch.evaluate(order, busy, wants("interactive"))
    assert batch.evaluate(order, idle, wants("batch")) == batch.evaluate(order, busy, wants("batch"))
