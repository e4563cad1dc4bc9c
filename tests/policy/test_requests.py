"""Resources: absurd requests are refused by name, and what was checked is what the node will see."""

import pytest
from jobs import job, session, written

CPUS = "ask for a whole number from 1 to 256."
MEMORY = "ask for 1 to 2000000 MB, a number known at submit."
DISK = "ask for 1 to 2000000000 KB, a number known at submit."
DEVICES = "ask for a whole number from 0 to 16."
CHAMELEON = "ifThenElse(TARGET.Cpus isnt undefined, 100, 1)"


@pytest.mark.parametrize(
    ("attribute", "value", "reason"),
    [
        ("RequestCpus", -1, f"request_cpus is -1: {CPUS}"),
        ("RequestCpus", 0, f"request_cpus is 0: {CPUS}"),
        ("RequestCpus", 257, f"request_cpus is 257: {CPUS}"),
        ("RequestCpus", 1.5, CPUS),
        ("RequestCpus", "4", f"request_cpus is no number: {CPUS}"),
        ("RequestCpus", True, f"request_cpus is no number: {CPUS}"),
        ("requestcpus", -1, f"request_cpus is -1: {CPUS}"),
        ("RequestCpus", written("TARGET.Cpus"), f"request_cpus is no number: {CPUS}"),
        ("RequestCpus", written("1/0"), f"request_cpus is no number: {CPUS}"),
        ("RequestMemory", -5, f"request_memory is -5: {MEMORY}"),
        ("RequestMemory", 0, f"request_memory is 0: {MEMORY}"),
        ("RequestMemory", 94371840, f"request_memory is 94371840: {MEMORY}"),
        ("RequestMemory", written("1e300"), MEMORY),
        ("RequestMemory", written('real("NaN")'), MEMORY),
        ("RequestMemory", written('real("INF")'), MEMORY),
        ("RequestMemory", written("MemoryUsage * 2"), f"request_memory is no number: {MEMORY}"),
        ("RequestDisk", -1, f"request_disk is -1: {DISK}"),
        ("RequestDisk", written("nonsense"), f"request_disk is no number: {DISK}"),
        ("RequestGPUs", -1, f"request_gpus is -1: {DEVICES}"),
        ("RequestGPUs", 17, f"request_gpus is 17: {DEVICES}"),
        ("RequestGPUs", 0.5, DEVICES),
        ("RequestGPUs", written("nonsense"), f"request_gpus is no number: {DEVICES}"),
        ("RequestFPGAs", -2, f"request_fpgas is -2: {DEVICES}"),
        ("RequestFPGAs", written("TARGET.TotalFPGAs"), f"request_fpgas is no number: {DEVICES}"),
    ],
)
def test_an_absurd_request_is_refused(batch, attribute, value, reason):
    described = {name: text for name, text in job().items() if name.lower() != attribute.lower()}
    assert reason in (batch.refusal({**described, attribute: value}) or "taken")


@pytest.mark.parametrize("attribute", ["RequestCpus", "RequestMemory", "RequestDisk", "RequestGPUs", "RequestFPGAs"])
def test_an_expression_that_looks_at_the_slot_is_no_way_to_a_second_answer(batch, attribute):
    described = job(**{attribute: written(CHAMELEON)})
    assert batch.refusal(described) is not None or batch.transform(described)[attribute] in (1, "no number")


@pytest.mark.parametrize(
    ("asked", "settled"),
    [("2 + 2", 4), ("1500.2", 1501), ("max({10, 20})", 20), ("ifThenElse(RequestCpus > 0, 7, 8)", 7)],
)
def test_a_request_known_at_submit_becomes_a_plain_number(batch, asked, settled):
    assert batch.transform(job(RequestMemory=written(asked)))["RequestMemory"] == settled


def test_what_is_missing_gets_a_default_and_no_device(batch):
    settled = batch.transform(job(RequestCpus=None, RequestMemory=None, RequestDisk=None))
    assert (settled["RequestCpus"], settled["RequestMemory"], settled["RequestDisk"]) == (1, 128, 1048576)
    assert "RequestGPUs" not in settled
    assert "RequestFPGAs" not in settled


@pytest.mark.parametrize(
    ("size", "taken"),
    [
        ({"RequestCpus": 32, "RequestMemory": 256000, "RequestGPUs": 1, "RequestFPGAs": 1}, True),
        ({"RequestCpus": 33}, False),
        ({"RequestMemory": 256001}, False),
        ({"RequestGPUs": 3}, False),
        ({"RequestGPUs": 2, "RequestFPGAs": 1}, False),
    ],
)
def test_a_session_is_small(interactive, size, taken):
    refusal = interactive.refusal(session(**size))
    assert refusal is None if taken else refusal.startswith("A session has at most 32 CPUs, 256000 MB and 2 devices; ")


def test_a_job_may_be_larger_than_a_session(batch):
    assert batch.refusal(job(RequestCpus=64, RequestMemory=500000, RequestGPUs=8)) is None
