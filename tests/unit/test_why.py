"""`mlinfn why`, case by case."""

import pytest
from small_pool import BACKFILL, FIRST, NODE, NOW, PRIMARY, SECOND, asks_a100, claimed, job, priority, snapshot

from mlinfn_condor.errors import JobNotFound
from mlinfn_condor.pool import ImageKind, JobId
from mlinfn_condor.submission.why import why

BATCH_1 = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST)
BATCH_2 = claimed("slot5_2@server2@host", "batch@2.0", "batch", SECOND, JobMaxVacateTime=90)
SESSION_1 = claimed("slot1_1@server2@host", "interactive@1.0", "interactive", FIRST)
SESSION_2 = claimed("slot1_2@server2@host", "interactive@2.0", "interactive", SECOND)
LEAVING_1 = claimed(
    "slot5_1@server2@host", "batch@1.0", "batch", FIRST, State="Preempting", EnteredCurrentState=NOW - 8
)


def answer(the_job, slots=NODE, others=(), priorities=()):
    return why(snapshot([the_job, *others], slots, priorities), the_job.id)


@pytest.mark.parametrize(
    ("asked", "reason"),
    [
        (asks_a100(3), "asks 3 A100, but the pool's nodes have at most 2 together"),
        (
            {"RequestGPUs": 1, "RequireGPUs": 'DeviceModel == "H100"'},
            "asks 1 H100, but no node has one: the pool's GPU models are A100",
        ),
        (
            asks_a100(1, RequestCpus=20),
            "asks more cores (20) than belong to the share of 1 device: at most 16",
        ),
        (
            asks_a100(2, RequestMemory=120_000),
            "asks more memory (120000 MB) than belong to the share of 2 devices: at most 100000 MB",
        ),
        ({"RequestCpus": 40}, "asks more cores (40) than a slot without devices has: at most 32"),
    ],
    ids=["too many together", "unknown model", "too many cores", "too much memory", "too large without a device"],
)
@pytest.mark.parametrize("priority_class", ["batch", "dask"])
def test_a_job_that_no_slot_can_serve_is_told_what_it_could_ask(asked, reason, priority_class):
    found = answer(job(priority_class=priority_class, **asked))
    assert "will never start as it is" in found.headline
    assert reason in found.headline
    assert found.starts_within_seconds is None


def able(slots, *kinds):
    """The slots, on nodes that run such images."""
    return [type(slot).from_ad({**slot.ad, "HasContainer": True} | dict.fromkeys(kinds, True)) for slot in slots]


FOLDER, FILE, REGISTRY = "/srv/image", "/srv/image.sif", "docker://library/image"


@pytest.mark.parametrize(
    ("slots", "image", "reason"),
    [
        (NODE, FOLDER, "asks to run in an image, but no node with what else it asks can run one: that takes Apptainer"),
        (
            able(NODE),
            FOLDER,
            "asks to run in an image, but no node with what else it asks can run one: that takes Apptainer",
        ),
        (
            able(NODE, ImageKind.FOLDER, ImageKind.REGISTRY),
            FILE,
            "as a .sif file, but the nodes take a folder and docker://…: `apptainer build --sandbox FOLDER FILE.sif`",
        ),
        (able(NODE, ImageKind.FOLDER), REGISTRY, "as docker://…, but the nodes take a folder"),
    ],
    ids=["no image at all", "only in name", "no file", "no registry"],
)
@pytest.mark.parametrize("asked", [{}, asks_a100()], ids=["bare", "with a device"])
def test_a_job_in_an_image_that_no_node_runs_is_told_so(slots, image, reason, asked):
    found = answer(job(ContainerImage=image, **asked), slots)
    assert "will never start as it is" in found.headline
    assert reason in found.headline


def test_a_job_for_docker_is_told_how_images_run_here():
    found = answer(job(WantDocker=True, DockerImage="library/image"), able(NODE, ImageKind.FOLDER))
    assert "asks for Docker, which no node has: write `universe = container`" in found.headline


def test_docker_image_outside_of_that_universe_is_an_image_from_a_registry():
    assert answer(job(DockerImage="library/image"), able(NODE, ImageKind.REGISTRY)).starts_within_seconds == 0


@pytest.mark.parametrize(
    ("kind", "image"), [(ImageKind.FOLDER, FOLDER), (ImageKind.FILE, FILE), (ImageKind.REGISTRY, REGISTRY)]
)
def test_a_job_in_an_image_waits_where_such_images_run(kind, image):
    assert answer(job(ContainerImage=image, **asks_a100()), able(NODE, kind)).starts_within_seconds == 0


def test_a_free_device_of_a_node_that_runs_no_images_is_none_for_a_job_in_one():
    others = [type(slot).from_ad({**slot.ad, "Name": slot.name.replace("server2", "server3")}) for slot in NODE]
    found = answer(
        job(ContainerImage=FOLDER, **asks_a100()), (*able(NODE, ImageKind.FOLDER), *others, BATCH_1, BATCH_2)
    )
    assert found.starts_within_seconds is None
    assert not any("server3" in line for line in found.lines)


def test_a_session_displaces_batch_within_the_shortest_window():
    found = answer(job(priority_class="interactive", **asks_a100()), (*NODE, BATCH_2, BATCH_1))
    assert found.starts_within_seconds == 31
    assert "at most 31 s after the match, because a batch job with a window of 30 s holds it" in found.headline


def test_a_session_of_two_devices_waits_for_the_longer_window():
    found = answer(job(priority_class="interactive", **asks_a100(2)), (*NODE, BATCH_1, BATCH_2))
    assert found.starts_within_seconds == 91


def test_a_window_above_the_cap_of_the_slot_counts_as_the_cap():
    greedy = claimed("slot5_1@server2@host", "batch@1.0", "batch", FIRST, JobMaxVacateTime=9999)
    other = claimed("slot5_2@server2@host", "batch@2.0", "batch", SECOND, JobMaxVacateTime=9999)
    assert answer(job(priority_class="interactive", **asks_a100()), (*NODE, greedy, other)).starts_within_seconds == 121


def test_a_session_does_not_displace_sessions():
    found = answer(job(priority_class="interactive", **asks_a100()), (*NODE, SESSION_1, SESSION_2))
    assert found.starts_within_seconds is None
    assert "no bound" in found.headline
    assert any("held by interactive job interactive@1.0 of bob" in line and "stays" in line for line in found.lines)


def test_batch_waits_for_batch_and_says_who_holds_the_devices():
    found = answer(job(**asks_a100()), (*NODE, BATCH_1, BATCH_2))
    assert found.starts_within_seconds is None
    assert "no bound" in found.headline
    assert any("held by batch job batch@1.0 of bob" in line for line in found.lines)


def test_dask_displaces_batch():
    found = answer(job(priority_class="dask", **asks_a100()), (*NODE, BATCH_1, BATCH_2))
    assert found.starts_within_seconds == 31


def test_dask_displaces_no_dask():
    workers = [claimed(f"slot5_{n}@server2@host", f"batch@{n}.0", "dask", one) for n, one in ((1, FIRST), (2, SECOND))]
    assert answer(job(priority_class="dask", **asks_a100()), (*NODE, *workers)).starts_within_seconds is None


def test_the_owner_of_a_device_displaces_a_guest_of_the_same_class():
    owned = [type(slot).from_ad({**slot.ad, "MlinfnOwnerProject": "alpha"}) for slot in (PRIMARY, BACKFILL)]
    guests = [type(slot).from_ad({**slot.ad, "Project": "beta"}) for slot in (BATCH_1, BATCH_2)]
    assert answer(job(**asks_a100()), (*owned, *guests)).starts_within_seconds == 31
    assert answer(job(**asks_a100(), Project="beta"), (*owned, *guests)).starts_within_seconds is None


def test_a_free_device_means_the_next_turn():
    found = answer(job(**asks_a100()), (*NODE, BATCH_1))
    assert found.starts_within_seconds == 0
    assert any("1 free" in line for line in found.lines)


def test_a_job_without_devices_is_served_by_slots_without_devices():
    found = answer(job())
    assert found.starts_within_seconds == 0
    assert sum("could serve it" in line for line in found.lines) == 1


def test_cores_that_are_taken_are_waited_for():
    found = answer(job(RequestCpus=4))
    assert found.starts_within_seconds is None
    assert any("too little now" in line for line in found.lines)


def test_the_place_in_the_queue_follows_the_priorities_of_the_users():
    mine = job("12.0", **asks_a100())
    others = [
        job("13.0", user="bob"),
        job("14.0", user="bob"),
        job("15.0", user="carol"),
        job("9.0", "dask", user="bob"),
    ]
    priorities = [priority("alice", 500.0), priority("bob", 100.0), priority("carol", 900.0)]
    found = answer(mine, (*NODE, BATCH_1, BATCH_2), others, priorities)
    assert any("number 3 of 4 idle batch jobs" in line and "bob with 2" in line for line in found.lines)


def test_simulated_devices_say_so():
    found = answer(job(**asks_a100()))
    assert any("2 A100 (simulated)" in line for line in found.lines)


def test_a_displaced_job_is_told_that_it_goes_on():
    assert any("has run 2 times already" in line for line in answer(job(NumJobStarts=2)).lines)


def test_a_held_job_gives_its_reason_and_the_command():
    found = answer(job(status=5, HoldReason="no such folder"))
    assert "on hold" in found.headline
    assert "no such folder" in found.headline
    assert any("condor_release -name batch@ 12.0" in line for line in found.lines)


@pytest.mark.parametrize(
    ("status", "ad", "sentence"),
    [
        (3, {"RemoveReason": "not wanted"}, "was removed at"),
        (4, {"ExitCode": 3}, "with exit code 3"),
        (2, {}, "no node reports it"),
        (
            2,
            {"RemotePool": "cm.tier:9618", "RemoteHost": "slot1_1@far@wn7"},
            "on slot1_1@far@wn7 of the pool of cm.tier:9618",
        ),
    ],
)
def test_jobs_that_do_not_wait_get_a_sentence_of_their_own(status, ad, sentence):
    assert sentence in answer(job(status=status, **ad)).headline


def test_a_session_in_a_hand_over_is_told_how_long_its_victim_may_take():
    session = job("1.0", "interactive", status=2)
    found = answer(session, (*NODE, SESSION_1, LEAVING_1))
    assert "running on server2" in found.headline
    assert any("handed over by batch@1.0 of bob" in line and "at most 22 s" in line for line in found.lines)


def test_a_victim_is_told_who_gets_its_device():
    found = answer(job("1.0", status=2), (*NODE, SESSION_1, LEAVING_1))
    assert any("gives its A100 (simulated) to session interactive@1.0" in line for line in found.lines)


def test_an_unknown_job_is_not_found():
    with pytest.raises(JobNotFound, match=r"99\.0"):
        why(snapshot([job()]), JobId("batch@", 99))
