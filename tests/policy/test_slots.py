"""Sizes and words of slots: what a node's layout promises, for any node."""

import pytest
from policy import Policy
from slot_ads import slot, wants

from mlinfn_condor.embedded.servers import SERVER1, SERVER2
from mlinfn_condor.node import slots
from mlinfn_condor.node.description import Node

NODES = {"server1": SERVER1, "server2": SERVER2}


@pytest.fixture(scope="module", params=NODES)
def node(request, tmp_path_factory, installed):
    """A node and the policy as its startd reads it."""
    described = NODES[request.param]
    policy = Policy(tmp_path_factory.mktemp("node"), installed.bin, site=slots.render(described))
    yield described, policy
    policy.close()


def test_sessions_their_victims_and_the_reserve_fit_into_the_node(node):
    described, policy = node
    shape_cpus, shape_mb = (policy.evaluate(policy.knob(f"MLINFN_DEVICE_{what}")) for what in ("CPUS", "MEMORY_MB"))
    bare_cpus, bare_mb = (policy.evaluate(policy.knob(f"MLINFN_BARE_{what}")) for what in ("CPUS", "MEMORY_MB"))
    reserve = policy.evaluate(policy.knob("MLINFN_HANDOVER_RESERVE_MB"))
    devices = len(described.devices)
    assert shape_cpus >= 1
    assert devices * shape_cpus + 2 * bare_cpus <= described.cpus
    assert devices * (shape_mb + reserve) + 2 * bare_mb <= described.memory_mb


def test_a_request_for_a_whole_share_is_not_rounded_beyond_it(node):
    """65 rounds memory up to steps of 128 MB; a share between two steps would never match."""
    _, policy = node
    assert int(policy.knob("MLINFN_DEVICE_MEMORY_MB")) % 128 == 0
    assert int(policy.knob("MLINFN_BARE_MEMORY_MB")) % 128 == 0


def test_each_slot_says_what_it_offers(node):
    _, policy = node
    types = [name for name in policy.names() if name.upper().startswith("NUM_SLOTS_TYPE_")]
    offers = [policy.knob(f"SLOT_TYPE_{name.rpartition('_')[2]}_MlinfnOffer").strip('"') for name in types]
    assert sorted(set(offers)) == ["opportunistic", "session", "work"]
    assert offers.count("work") == offers.count("opportunistic") == 1


def test_only_session_slots_hand_out_many_parts_in_one_cycle(node):
    _, policy = node
    for number in range(1, 1 + sum(name.upper().startswith("NUM_SLOTS_TYPE_") for name in policy.names())):
        session = "session" in policy.knob(f"SLOT_TYPE_{number}_MlinfnOffer")
        assert (policy.knob(f"SLOT_TYPE_{number}_CONSUMPTION_POLICY") == "True") is session


@pytest.fixture(scope="module")
def generous(tmp_path_factory, installed):
    """A node of a site that offers each CPU to sessions three times."""
    site = f"{slots.render(SERVER1)}\nMLINFN_SESSION_CPU_OVERCOMMIT = 3\n"
    policy = Policy(tmp_path_factory.mktemp("generous"), installed.bin, site=site)
    yield policy
    policy.close()


def number(policy, name):
    return policy.evaluate(policy.knob(name))


def test_over_committed_sessions_are_offered_more_cpus_and_the_rest_what_there_is(batch, generous):
    assert number(generous, "MLINFN_DEVICE_CPUS") == 4
    assert number(generous, "MLINFN_SESSION_DEVICE_CPUS") == 12
    assert number(generous, "SLOT_TYPE_1_MlinfnDeviceCpus") == 12
    assert number(generous, "MLINFN_BARE_CPUS") == 6
    assert number(generous, "MLINFN_SESSION_BARE_CPUS") == 18
    whole = number(generous, "NUM_CPUS")
    assert whole == 13 * 12 + 18 + 6
    wish = wants("interactive", RequestGPUs=1, RequestCpus=12)
    start = generous.knob("START")
    assert generous.evaluate(start, slot("session", MlinfnDeviceCpus=12), wish) is True
    assert generous.evaluate(start, slot("session", MlinfnDeviceCpus=4), wish) is False


def test_idle_devices_keep_cpus_for_opportunistic_payloads_however_many_sessions_took(generous):
    """The backfill slot offers what all primary slots together do not use."""
    devices, session, shape = 13, number(generous, "MLINFN_SESSION_DEVICE_CPUS"), number(generous, "MLINFN_DEVICE_CPUS")
    bare = number(generous, "MLINFN_SESSION_BARE_CPUS") + number(generous, "MLINFN_BARE_CPUS")
    for sessions in range(devices + 1):
        left = number(generous, "NUM_CPUS") - sessions * session - bare
        assert left >= (devices - sessions) * shape


@pytest.mark.parametrize("cpus", [1, 2, 3, 4])
@pytest.mark.parametrize("devices", [(), SERVER1.devices[:1], SERVER1.devices[:4]])
def test_the_slots_of_a_small_node_fit_into_what_it_offers(tmp_path, installed, cpus, devices):
    policy = Policy(tmp_path / "p", installed.bin, site=slots.render(Node("small", cpus, 4000, tuple(devices))))
    slot_cpus = len(devices) * number(policy, "MLINFN_SESSION_DEVICE_CPUS")
    slot_cpus += number(policy, "MLINFN_SESSION_BARE_CPUS") + number(policy, "MLINFN_BARE_CPUS")
    assert slot_cpus <= number(policy, "NUM_CPUS")
    policy.close()


def test_slots_advertise_the_words_that_others_read(batch):
    assert {"MlinfnOffer", "MlinfnOwnerProject", "MlinfnDeviceCpus"} <= set(batch.words("STARTD_ATTRS"))
    assert {"PriorityClass", "Project"} <= set(batch.words("STARTD_JOB_ATTRS"))


@pytest.mark.parametrize(("gpus", "expected"), [(0, 0), (2, 2), (None, 0)])
def test_a_match_takes_the_devices_that_were_asked_for(batch, gpus, expected):
    asked = wants("interactive", **({} if gpus is None else {"RequestGPUs": gpus}))
    assert batch.evaluate(batch.knob("CONSUMPTION_GPUS"), slot("session"), asked) == expected


@pytest.mark.parametrize(
    ("offer", "asked", "cpus", "memory"),
    [
        ("opportunistic", {"RequestGPUs": 1}, 4, 50000),
        ("opportunistic", {"RequestGPUs": 1, "RequestFPGAs": 1}, 8, 100000),
        ("work", {}, 1, 1024),
    ],
)
def test_payloads_with_devices_get_whole_shapes(batch, offer, asked, cpus, memory):
    """The startd evaluates these in the job's ad, with the slot as TARGET."""
    job, here = wants("batch", **asked), slot(offer)
    assert batch.evaluate(batch.knob("MODIFY_REQUEST_EXPR_REQUESTCPUS"), job, here) == cpus
    assert batch.evaluate(batch.knob("MODIFY_REQUEST_EXPR_REQUESTMEMORY"), job, here) == pytest.approx(memory, abs=127)


@pytest.mark.parametrize(
    ("given", "asked", "weight"),
    [
        ({"Cpus": 4}, {"RequestCpus": 4}, 4),
        ({"Cpus": 4, "GPUs": 1, "TotalSlotGPUs": 8}, {"RequestCpus": 4, "RequestGPUs": 1}, 16),
        ({"Cpus": 4, "FPGAs": 2, "TotalSlotFPGAs": 3}, {"RequestCpus": 1, "RequestFPGAs": 2}, 32),
        ({"Cpus": 4, "GPUs": 0, "TotalSlotGPUs": 8}, None, 0),
        ({"GPUs": 5, "TotalSlotGPUs": 8, "PartitionableSlot": True, "MlinfnOffer": "opportunistic"}, None, 16),
        ({"GPUs": 0, "TotalSlotGPUs": 8, "PartitionableSlot": True, "MlinfnOffer": "opportunistic"}, None, 0),
        ({"GPUs": 5, "TotalSlotGPUs": 8, "PartitionableSlot": True, "MlinfnOffer": "session"}, None, 80),
    ],
)
def test_a_device_weighs_many_cores_and_the_access_point_reckons_the_same(batch, given, asked, weight):
    assert batch.evaluate(batch.knob("SLOT_WEIGHT"), given) == weight
    assert asked is None or batch.evaluate(batch.knob("SCHEDD_SLOT_WEIGHT"), asked) == weight


def test_every_payload_starts_through_the_device_lock(batch):
    assert batch.knob("USER_JOB_WRAPPER").endswith("/hold-devices")
    assert "MLINFN_DEVICE_LOCKS=" in batch.knob("STARTER_JOB_ENVIRONMENT")


def test_user_images_run_without_privilege_and_are_made_by_nobody_else(batch):
    arguments = batch.knob("SINGULARITY_EXTRA_ARGUMENTS")
    real, simulated = (
        {"AssignedGPUs": "GPU-1", "GPUs_Simulated": False},
        {"AssignedGPUs": "GPU-1", "GPUs_Simulated": True},
    )
    assert [batch.evaluate(arguments, ad) for ad in ({}, simulated, real)] == ["--userns", "--userns", "--userns --nv"]
    assert not batch.knob("SINGULARITY_ALLOWED_JOB_ENV_VARS")
    assert not batch.knob("DOCKER")


def test_only_jobs_outside_of_an_image_are_given_a_folder_for_temporary_files(batch):
    folders = batch.knob("MOUNT_UNDER_SCRATCH")
    assert [batch.evaluate(folders, ad) for ad in ({}, {"WantContainer": True})] == ["/tmp,/var/tmp", ""]


def test_opportunistic_payloads_are_nicer(batch):
    nice = batch.knob("JOB_RENICE_INCREMENT")
    order = [batch.evaluate(nice, {"PriorityClass": name}) for name in ("interactive", "dask", "batch")]
    assert order == [0, 5, 10]


def test_the_node_tells_its_devices_through_its_own_inventory(batch):
    for kind in ("GPUs", "FPGAs"):
        assert batch.knob(f"MACHINE_RESOURCE_INVENTORY_{kind}").endswith(f" {kind}")
