"""What the spawn page says will happen, case by case."""

import pytest
from small_pool import (
    BACKFILL,
    BARE,
    FIRST,
    NOW,
    PRIMARY,
    SECOND,
    asks_a100,
    claimed,
    device_ads,
    job,
    partitionable,
    snapshot,
)

from mlinfn_condor.hub.page.inventory import Inventory, remember
from mlinfn_condor.hub.page.outlook import Start, ask_for, outlook
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.submission.requests import Devices

WITHOUT = partitionable("slot2@server2@host", "session", Cpus=6, TotalSlotCpus=8, Memory=9_000, TotalSlotMemory=16_000)
NODE = (PRIMARY, BACKFILL, BARE, WITHOUT)
BATCH_1 = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST)
BATCH_2 = claimed("slot5_2@server2@host", "batch@2.0", "batch", SECOND, JobMaxVacateTime=90)
DASK_2 = claimed("slot5_2@server2@host", "batch@2.0", "dask", SECOND)
LEAVING = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST, State="Preempting", EnteredCurrentState=NOW - 8)
SIZE = {"Cpus": 16, "Memory": 50_000}
SESSION_1 = claimed("slot1_1@server2@host", "interactive@1.0", "interactive", FIRST, Project="beta", **SIZE)
SESSION_2 = claimed("slot1_2@server2@host", "interactive@2.0", "interactive", SECOND, Project="beta", **SIZE)
ONE, TWO, NONE = Devices(count=1, model="A100"), Devices(count=2, model="A100"), Devices()


def idle(local="7.0", user="carol", **asked):
    return job(local, priority_class="interactive", user=user, **(asked or asks_a100()))


def foretold(devices, slots, jobs=(), cpus=2, memory_mb=2048, seen=Inventory(), project="", displace=False):
    return outlook(snapshot(jobs, slots), seen, ask_for(devices, cpus, memory_mb), project, displace)


@pytest.mark.parametrize(
    ("devices", "slots", "jobs", "start", "seconds", "words"),
    [
        (ONE, NODE, (), "at once", 0, "Starts at once, in a few seconds: A100 is free on server2."),
        (TWO, NODE, (), "at once", 0, "2 A100 are free on server2"),
        (NONE, NODE, (), "at once", 0, "server2 has room for 2 cores and 2.0 GB of memory"),
        (Devices(count=1), NODE, (), "at once", 0, "GPU is free"),
        (ONE, (*NODE, BATCH_1), (), "at once", 0, "free"),
        (ONE, (*NODE, BATCH_1, BATCH_2), (), "displaces", 31, "has its A100 within 31 s: a batch job of bob gives way"),
        (ONE, (*NODE, SESSION_1, DASK_2), (), "displaces", 31, "a Dask worker of bob gives way, with at most 30 s"),
        (TWO, (*NODE, BATCH_1), (), "displaces", 31, "has its 2 A100 within 31 s"),
        (TWO, (*NODE, BATCH_1, BATCH_2), (), "displaces", 91, "with at most 90 s to save its state"),
        (ONE, (*NODE, LEAVING, SESSION_2), (), "displaces", 22, "within 22 s: a batch job of bob is saving its state"),
        (ONE, (*NODE, SESSION_1, SESSION_2), (), "waits", None, "each A100 is held by another session"),
        (TWO, (*NODE, SESSION_1), (), "waits", None, "2 A100 are not to be had together on one node"),
        (ONE, (*NODE, SESSION_1, SESSION_2), (idle(), idle("8.0")), "waits", None, "2 sessions wait before yours"),
        (ONE, (*NODE, SESSION_1, SESSION_2), (idle(),), "waits", None, "1 session waits before yours"),
        (ONE, (*NODE, SESSION_1), (idle(),), "waits", None, "1 session waits before yours"),
        (ONE, NODE, (idle(),), "at once", 0, "free"),
        (ONE, (*NODE, BATCH_1), (idle(),), "displaces", 31, "a batch job of bob gives way"),
        (ONE, NODE, (idle(**asks_a100(2)),), "waits", None, "1 session waits"),
        (ONE, NODE, (idle(RequestGPUs=1, RequireGPUs='DeviceModel == "T4"'),), "at once", 0, "free"),
        (ONE, NODE, (idle(RequestGPUs=2),), "waits", None, "1 session waits"),
        (ONE, NODE, (idle(RequestCpus=1),), "at once", 0, "free"),
        (NONE, NODE, (idle(RequestCpus=5),), "waits", None, "1 session waits before yours"),
        (NONE, NODE, (idle(RequestCpus=4),), "at once", 0, "room"),
        (NONE, NODE, (job(priority_class="batch", RequestCpus=5),), "at once", 0, "room"),
    ],
)
def test_it_says_what_will_happen(devices, slots, jobs, start, seconds, words):
    found = foretold(devices, slots, jobs)
    assert (found.start, found.within_seconds) == (start, seconds)
    assert words in found.sentence


@pytest.mark.parametrize(
    ("asked", "slots", "words"),
    [
        (
            {"devices": Devices(count=3, model="A100")},
            NODE,
            "asks 3 A100, but the pool's nodes have at most 2 together",
        ),
        (
            {"devices": Devices(count=1, model="H100")},
            NODE,
            "asks 1 H100, but no node has one: the pool's GPU models are",
        ),
        ({"devices": Devices(count=1, kind=DeviceKind.FPGA)}, NODE, "asks 1 FPGA, but no node has one"),
        ({"devices": ONE, "cpus": 17}, NODE, "asks more cores (17) than belong to the share of 1 device: at most 16"),
        ({"devices": NONE, "cpus": 9}, NODE, "asks more cores (9) than a slot without devices has: at most 8"),
        ({"devices": ONE}, (), "the pool has no slot of this kind at the moment"),
    ],
)
def test_what_can_never_start_says_what_could(asked, slots, words):
    found = foretold(slots=slots, **asked)
    assert found.start is Start.CANNOT
    assert words in found.sentence


def test_a_model_that_is_offline_is_not_called_unknown():
    t4 = partitionable("slot1@server3@host", "session", device_ads("server3", "T4", 1))
    found = foretold(ONE, (t4,), seen=remember(Inventory(), snapshot([], NODE)))
    assert found.start is Start.CANNOT
    assert "A100 is offline with server2" in found.sentence


def test_a_draining_node_takes_nobody():
    slots = [partitionable(slot.name, slot.offer, **{**slot.ad, "Draining": True}) for slot in NODE]
    assert foretold(ONE, slots).start is Start.CANNOT


def test_a_device_that_is_switched_off_is_waited_for():
    off = partitionable(PRIMARY.name, "session", **{**PRIMARY.ad, "OfflineGPUs": f"{FIRST},{SECOND}"})
    found = foretold(ONE, (off, BACKFILL))
    assert found.start is Start.WAITS
    assert "out of service" in found.sentence


def test_a_silent_pool_promises_nothing():
    found = outlook(None, Inventory(), ask_for(ONE, 1, 1024))
    assert found.start is Start.UNKNOWN
    assert "does not answer" in found.sentence


OWNED = partitionable(PRIMARY.name, "session", **{**PRIMARY.ad, "GPUs_OwnerProject": "alpha"})


@pytest.mark.parametrize(
    ("project", "displace", "session", "start"),
    [
        ("alpha", True, {}, Start.DISPLACES),
        ("alpha", False, {}, Start.WAITS),
        ("gamma", True, {}, Start.WAITS),
        ("", True, {}, Start.WAITS),
        ("alpha", True, {"Project": "alpha"}, Start.WAITS),
        ("alpha", True, {"Cpus": 1}, Start.WAITS),
    ],
    ids=["owner", "the site forbids it", "another guest", "nobody's", "a fellow member", "too small a slot"],
)
def test_the_owner_of_a_device_displaces_guests_where_the_site_lets_him(project, displace, session, start):
    sessions = [
        claimed(
            f"slot1_{n}@server2@host",
            f"interactive@{n}.0",
            "interactive",
            one,
            **{"Project": "beta", **SIZE, **session},
        )
        for n, one in ((1, FIRST), (2, SECOND))
    ]
    found = foretold(ONE, (OWNED, BACKFILL, *sessions), project=project, displace=displace)
    assert found.start is start
    if start is Start.DISPLACES:
        assert "a guest's session of bob gives way, with at most 30 s" in found.sentence
