"""Which payload may start on which slot."""

import pytest
from policy import Expression
from slot_ads import bare_session_slot, slot, wants

A_T4 = Expression('DeviceModel == "T4"')
A_U250 = Expression('DeviceModel == "U250"')
CONFLICT = "Cpus,Memory,GPU-1"


def starts(policy, slot_ad, job) -> object:
    return policy.evaluate(policy.knob("START"), slot_ad, job)


@pytest.mark.parametrize(
    ("where", "who"),
    [
        (slot("session"), wants("interactive", RequestGPUs=1)),
        (slot("session"), wants("interactive", RequestGPUs=2, RequireGPUs=A_T4)),
        (slot("session"), wants("interactive", RequestFPGAs=1, RequireFPGAs=A_U250)),
        (bare_session_slot(), wants("interactive")),
        (slot("work"), wants("dask")),
        (slot("work"), wants("batch", RequestGPUs=0)),
        (slot("opportunistic"), wants("dask", RequestGPUs=1)),
        (slot("opportunistic"), wants("batch", RequestFPGAs=1)),
        (slot("opportunistic"), wants("batch", RequestGPUs=2, RequestCpus=8, RequestMemory=100000)),
        (slot("opportunistic", ResourceConflict="Cpus,Memory"), wants("batch", RequestGPUs=1)),
    ],
    ids=str,
)
def test_a_payload_starts_where_its_class_belongs(batch, where, who):
    assert starts(batch, where, who) is True


@pytest.mark.parametrize(
    ("where", "who"),
    [
        (slot("session"), wants("batch", RequestGPUs=1)),
        (slot("session"), wants("dask", RequestGPUs=1)),
        (slot("session"), wants("batch", RequestGPUs=1, MlinfnOffer="session")),
        (slot("opportunistic"), wants("interactive", RequestGPUs=1)),
        (slot("work"), wants("interactive")),
        (slot("work"), wants("batch", RequestGPUs=1)),
        (slot("opportunistic"), wants("batch")),
        (slot("opportunistic", ResourceConflict=CONFLICT), wants("batch", RequestGPUs=1)),
    ],
    ids=str,
)
def test_and_nowhere_else(batch, where, who):
    assert starts(batch, where, who) is False


@pytest.mark.parametrize(
    ("wish", "served"),
    [
        ("request_gpus = 2", True),
        ('request_gpus = 2\nrequire_gpus = DeviceModel == "T4"', True),
        ('request_gpus = 1\nrequire_gpus = DeviceModel == "A100"', False),
        ('request_gpus = 3\nrequire_gpus = DeviceModel == "T4"', False),
        ('request_fpgas = 1\n+RequireFPGAs = DeviceModel == "U250"', True),
        ('request_fpgas = 1\n+RequireFPGAs = DeviceModel == "U50"', False),
        ('request_fpgas = 2\n+RequireFPGAs = DeviceModel == "U250"', False),
    ],
)
def test_nobody_gets_another_model_than_he_asked_for(batch, wish, served):
    described = batch.described(f"executable = /bin/true\ntransfer_executable = false\n{wish}\nqueue\n")
    devices = [clause for clause in str(described["Requirements"]).split(" && ") if "PUs" in clause or "pgas" in clause]
    assert devices
    verdict = batch.evaluate(" && ".join(devices), described, slot("session", GPUs=2, FPGAs=1))
    assert (verdict is True) is served


@pytest.mark.parametrize("much", [{"RequestCpus": 5}, {"RequestMemory": 50001}], ids=str)
@pytest.mark.parametrize("offer", ["session", "opportunistic"])
def test_nobody_takes_more_than_the_shape_of_his_devices(batch, offer, much):
    priority_class = "interactive" if offer == "session" else "batch"
    assert starts(batch, slot(offer), wants(priority_class, RequestGPUs=1, **much)) is False


def test_a_session_without_a_device_wastes_none(batch):
    assert starts(batch, slot("session"), wants("interactive")) is False


@pytest.mark.parametrize("unknown", [None, "interactive "])
@pytest.mark.parametrize("offer", ["session", "work", "opportunistic"])
def test_a_job_without_a_known_class_starts_nowhere(batch, offer, unknown):
    devices = 0 if offer == "work" else 1
    assert starts(batch, slot(offer), wants(unknown, RequestGPUs=devices)) is not True
