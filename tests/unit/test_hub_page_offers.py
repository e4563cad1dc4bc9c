"""What the spawn page offers, and what was seen before."""

import json

import pytest
from small_pool import A100S, BACKFILL, BARE, FIRST, NOW, PRIMARY, SECOND, claimed, device_ads, partitionable, snapshot

from mlinfn_condor.hub.page.inventory import DAY_SECONDS, Inventory, remember
from mlinfn_condor.hub.page.offers import UNKNOWN_SHAPE, Shape, offers
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.submission.requests import Devices
from mlinfn_condor.submission.snapshot import Snapshot

SESSION_WITHOUT = partitionable(
    "slot2@server2@host", "session", Cpus=6, TotalSlotCpus=8, Memory=9_000, TotalSlotMemory=16_000
)
NODE = (PRIMARY, BACKFILL, BARE, SESSION_WITHOUT)
MIG = device_ads("server3", "A100-1g.5gb", 7, simulated=False)
FPGA = device_ads("server4", "U50", 1, kind="FPGAs")
BATCH = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST)
DASK = claimed("slot5_2@server2@host", "batch@2.0", "dask", SECOND)
SESSION = claimed("slot1_1@server2@host", "interactive@1.0", "interactive", FIRST)
LEAVING = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST, State="Preempting")


def a100(slots, seen=Inventory()):
    return offers(snapshot([], slots), seen).find(DeviceKind.GPU, "A100")


def drained(slot):
    return partitionable(slot.name, slot.offer, **{**slot.ad, "Draining": True})


def switched_off(slot, ids):
    return partitionable(slot.name, slot.offer, **{**slot.ad, "OfflineGPUs": ids})


@pytest.mark.parametrize(
    ("slots", "counts"),
    [
        (NODE, (2, 0, 0, 0)),
        ((*NODE, BATCH), (1, 1, 0, 0)),
        ((*NODE, BATCH, DASK), (0, 2, 0, 0)),
        ((*NODE, LEAVING), (1, 1, 0, 0)),
        ((*NODE, SESSION), (1, 0, 1, 0)),
        ((*NODE, SESSION, LEAVING, DASK), (0, 1, 1, 0)),
        (tuple(map(drained, NODE)), (0, 0, 0, 2)),
        ((*map(drained, NODE), SESSION, DASK), (0, 0, 1, 1)),
        ((switched_off(PRIMARY, SECOND), BACKFILL), (1, 0, 0, 1)),
        ((switched_off(PRIMARY, f"{FIRST} {SECOND}"), BACKFILL, SESSION), (0, 0, 1, 1)),
    ],
    ids=[
        "all free",
        "batch",
        "batch and dask",
        "a job that leaves",
        "a session",
        "a hand-over is the session's",
        "a draining node",
        "a draining node's session stays",
        "a device switched off",
        "devices switched off, one still in use",
    ],
)
def test_each_device_counts_once_as_what_it_is_to_a_session(slots, counts):
    offer = a100(slots)
    assert (offer.free, offer.reclaimable, offer.sessions, offer.offline) == counts
    assert offer.total == 2


def test_devices_of_a_node_that_reports_no_more_are_offline():
    seen = remember(Inventory(), snapshot([], NODE))
    other = partitionable("slot1@server9@host", "session", device_ads("server9", "A100", 4))
    offer = a100((other,), seen)
    assert (offer.free, offer.offline, offer.total) == (4, 2, 6)
    assert offer.most_together == 4


def test_a_model_all_of_which_is_offline_is_still_shown():
    offer = a100((), remember(Inventory(), snapshot([], NODE)))
    assert (offer.offline, offer.total, offer.most_together) == (2, 2, 0)


def test_a_device_that_is_back_is_offline_no_more():
    seen = remember(Inventory(), snapshot([], NODE))
    assert a100(NODE, remember(seen, snapshot([], ()))).offline == 0


def test_sensible_sizes_are_the_share_of_the_device():
    found = offers(snapshot([], NODE), Inventory())
    assert found.shape(Devices(count=2, model="A100")) == Shape(32, 100_000, 32, 100_000)
    assert found.shape(Devices()) == Shape(2, 4_000, 8, 16_000)


def test_no_session_is_offered_more_than_the_site_allows():
    found = offers(snapshot([], NODE), Inventory(), most_cpus=20, most_memory_mb=60_000)
    assert found.shape(Devices(count=2, model="A100")) == Shape(20, 60_000, 20, 60_000)


def test_the_smaller_of_two_nodes_sets_what_is_sensible_and_the_larger_the_most():
    small = partitionable(
        "slot1@tiny@host", "session", device_ads("tiny", "A100", 1), MlinfnDeviceCpus=4, MlinfnDeviceMemoryMb=8_000
    )
    assert a100((*NODE, small)).shape == Shape(4, 8_000, 16, 50_000)


def test_slices_and_fpgas_are_models_of_their_own_gpus_first():
    slots = (
        partitionable("slot1@server4@host", "session", FPGA),
        partitionable("slot1@server3@host", "session", MIG),
        *NODE,
    )
    found = offers(snapshot([], slots), Inventory()).models
    assert [(one.label, one.total) for one in found] == [
        ("A100 (simulated)", 2),
        ("A100-1g.5gb", 7),
        ("U50 (simulated)", 1),
    ]


def test_an_empty_pool_has_nothing_and_still_a_shape_to_ask_for():
    found = offers(snapshot([], ()), Inventory())
    assert found.models == ()
    assert found.bare == UNKNOWN_SHAPE


def test_a_device_that_nobody_reports_is_forgotten_after_the_days_of_the_setting():
    seen = remember(Inventory(), snapshot([], NODE))
    later = [Snapshot((), (), (), NOW + days * DAY_SECONDS) for days in (3, 4)]
    assert len(remember(seen, later[0], keep_days=3.5).seen) == 2
    assert remember(seen, later[1], keep_days=3.5).seen == ()


def test_what_was_seen_survives_a_restart_of_the_hub():
    seen = remember(Inventory(), snapshot([], (*NODE, partitionable("slot1@server3@host", "session", MIG))))
    assert Inventory.from_json(seen.to_json()) == seen
    assert len(seen.seen) == 9


@pytest.mark.parametrize(
    "text", ["", "{", "7", "null", '[{"node": 1}]', "[7]", json.dumps([{"kind": "tpu"}]), "[" * 100_000]
)
def test_a_broken_file_is_an_empty_memory(text):
    assert Inventory.from_json(text) == Inventory()


def test_the_properties_that_only_the_node_knows_are_not_kept():
    assert "Simulated" not in remember(Inventory(), snapshot([], NODE)).to_json()
    assert A100S["AssignedGPUs"].split(",")[0] in remember(Inventory(), snapshot([], NODE)).to_json()
