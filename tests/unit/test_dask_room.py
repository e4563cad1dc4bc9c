"""How many workers could start, and how many of them adapt() asks for."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

pytest.importorskip("distributed")

from mlinfn_condor.dask.adapting import enough
from mlinfn_condor.dask.room import Shape, room, to_come
from mlinfn_condor.dask.wishes import directives, wished
from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import Addable, DeviceKind, Slot
from mlinfn_condor.pool.addable import read, written

COUNT = st.integers(0, 300)


def work(cpus=8, memory=8192, node="n1"):
    ad = {"Name": f"slot2@{node}@host", "MlinfnOffer": "work", "PartitionableSlot": True, "Cpus": cpus}
    return Slot.from_ad(ad | {"Memory": memory})


def claimed(offer="work", node="n1", device="", **ad):
    told = {"Name": f"slot2_1@{node}@host", "MlinfnOffer": offer, "State": "Claimed", "Cpus": 1, "Memory": 2048}
    return Slot.from_ad(told | {"PriorityClass": "batch", "AssignedGPUs": device} | ad)


def backfill(*models, node="n1"):
    devices = {f"GPUs_{node}_{n}": {"Id": f"{node}-{n}", "DeviceModel": model} for n, model in enumerate(models)}
    told = {"Name": f"slot4@{node}@host", "MlinfnOffer": "opportunistic", "PartitionableSlot": True}
    return Slot.from_ad(told | {"MlinfnDeviceCpus": 4, "MlinfnDeviceMemoryMb": 8192} | devices)


def test_workers_without_a_device_fill_what_is_left_of_work_slots():
    assert room([work(cpus=8, memory=3 * 2048), work(cpus=2, memory=99999, node="n2")], Shape(1, 2000)) == 3 + 2


def test_batch_gives_way_to_workers_and_other_workers_do_not():
    slots = [claimed(), claimed(PriorityClass="dask"), claimed(State="Preempting")]
    assert room(slots, Shape(1, 2000)) == 1
    assert room(slots, Shape(2, 2000)) == 0, "it does not fit into what batch has"


def test_workers_with_a_device_get_free_ones_and_those_of_batch_of_their_model():
    slots = [backfill("T4", "T4", "A100", "T4"), claimed("opportunistic", device="n1-0")]
    slots += [claimed("session", device="n1-1", PriorityClass="interactive")]
    assert room(slots, Shape(1, 2000, wished("T4"))) == 2
    assert room(slots, Shape(1, 2000, wished("A100"))) == 1
    assert room(slots, Shape(1, 2000, wished(2))) == 1, "two of one model on one node"


def test_an_owners_batch_stays_on_its_own_device():
    owned = {"GPUs_OwnerProject": "alpha"}
    slots = [backfill("T4", "T4")]
    slots += [claimed("opportunistic", device="n1-0", Project="alpha", **owned)]
    slots += [claimed("opportunistic", device="n1-1", Project="beta", **owned)]
    assert room(slots, Shape(1, 2000, wished("T4"))) == 1


@pytest.mark.parametrize(
    ("shape", "workers"),
    [
        (Shape(2, 2000), 8),
        (Shape(2, 2000, wished("T4")), 4),
        (Shape(2, 2000, wished(2)), 2),
        (Shape(2, 2000, wished("A100")), 0),
        (Shape(2, 2000, wished("U50")), 1),
        (Shape(9, 2000, wished("T4")), 0),
        (Shape(99, 2000), 0),
    ],
    ids=str,
)
def test_one_more_node_takes_so_many_workers(shape, workers):
    nodes = [
        Addable(16, 64000),
        Addable(4, 64000),
        Addable(8, 16384, 4, DeviceKind.GPU, "T4"),
        Addable(8, 16384, 1, DeviceKind.FPGA, "U50"),
    ]
    assert to_come(nodes, shape) == workers
    assert to_come([], shape) == 0


def test_what_is_told_of_nodes_to_come_is_read_as_it_was_written():
    nodes = [Addable(16, 64000), Addable(8, 16384, 4, DeviceKind.GPU, "T4:x")]
    assert set(read(written(nodes))) == set(nodes)
    assert read("a-later-version tpu:1:2:3:x gpu:1:many:3:x :::: " + written(nodes[:1])) == nodes[:1]
    assert read("") == []


def test_a_worker_beyond_the_shape_of_its_device_has_no_room():
    assert room([backfill("T4")], Shape(5, 2000, wished("T4"))) == 0


@settings(deadline=None)
@given(wanted=COUNT, asked=COUNT, running=COUNT, free=COUNT)
def test_never_more_than_wanted_nor_more_new_ones_than_can_start(wanted, asked, running, free):
    have = enough(wanted, asked, running, free)
    assert have <= wanted
    assert have <= max(asked, running + free)
    assert have >= min(wanted, asked), "who waits is not given up"


@pytest.mark.parametrize(
    ("written", "count", "kind", "model"),
    [
        ("A100:1", 1, DeviceKind.GPU, "A100"),
        ("RTX5000", 1, DeviceKind.GPU, "RTX5000"),
        ("U250:2", 2, DeviceKind.FPGA, "U250"),
        ("fpga:1", 1, DeviceKind.FPGA, None),
        (2, 2, DeviceKind.GPU, None),
        (0, 0, DeviceKind.GPU, None),
    ],
)
def test_devices_are_written_as_model_and_count(written, count, kind, model):
    found = wished(written)
    assert (found.count, found.kind, found.model) == (count, kind, model)


@pytest.mark.parametrize("written", ["", "A100:", "A100 1", "-1", 'A"', "$(x)"])
def test_what_is_no_device_is_refused_with_an_example(written):
    with pytest.raises(BadRequest, match="write A100:1"):
        wished(written)


def test_devices_become_what_the_worker_template_says():
    assert directives(wished("A100:1"), "alpha") == {
        "request_gpus": "1",
        "require_gpus": 'DeviceModel == "A100"',
        "MY.Project": '"alpha"',
    }
    assert directives(wished("U50"), None) == {"request_fpgas": "1", "MY.RequireFPGAs": 'DeviceModel == "U50"'}
    assert directives(wished(0), None) == {}
