"""A glidein joins a real pool, says what it is, and serves a session and a training."""

import time
from collections.abc import Iterator

import pytest
from driver import Driver, cleared, wait_until
from glideins import SITE, Running, glidein, seconds_since

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded.lifecycle import RunningPool

T4 = {"request_gpus": 1, "require_gpus": 'DeviceModel == "T4"'}


@pytest.fixture(scope="module")
def serving(bare_pool: RunningPool, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    told = {"uid": "uid-1", "owner_project": "alpha", "node": "machine7", "pod": "pod-x", "devices": "T4:2"}
    with (
        cleared(Driver(bare_pool, tmp_path_factory.mktemp("serving"))) as driver,
        glidein(driver, "serving", **told) as one,
    ):
        yield one.joined()


def test_its_slots_say_which_glidein_they_are_of(serving):
    slots = serving.slots()
    assert sorted(slot["MlinfnOffer"] for slot in slots) == ["opportunistic", "session", "session", "work"]
    for slot in slots:
        assert slot["Name"].split("@")[1] == "serving"
        told = {
            n: slot[n] for n in ("MlinfnGlideinUid", "MlinfnGlideinKind", "MlinfnGlideinDevices", "MlinfnGlideinWarm")
        }
        assert told == {
            "MlinfnGlideinUid": "uid-1",
            "MlinfnGlideinKind": "t4",
            "MlinfnGlideinDevices": "T4:2",
            "MlinfnGlideinWarm": False,
        }
        places = [slot[name] for name in ("MlinfnSite", "MlinfnKubernetesNode", "MlinfnPod", "MlinfnOwnerProject")]
        assert places == ["here", "machine7", "pod-x", "alpha"]
        assert slot["MlinfnStandsFor"] == "a node with T4, simulated"


def test_a_session_displaces_a_training_on_it_as_on_any_node(serving):
    trainings = serving.driver.submit(count=2, requirements=serving.mine, leave_seconds=1, **T4)
    for training in trainings:
        training.wait_for("computing")
    session = serving.driver.submit(PriorityClass.INTERACTIVE, user="bob", requirements=serving.mine, **T4)[0]
    session.wait_for("computing")
    assert [training.has("left") for training in trainings].count(True) == 1
    assert not any(payload.has("double-use") for payload in (session, *trainings))


def test_its_meter_reads_the_devices(serving):
    (devices,) = (slot for slot in serving.slots("DeviceReadings isnt undefined"))
    assert devices["MlinfnOffer"] == "session"


def test_jobs_find_neither_token_nor_orders_in_their_environment(serving):
    shows = {"executable": "/usr/bin/env", "arguments": '""', "output": serving.driver.folder / "environment"}
    serving.driver.submit(requirements=serving.mine, request_gpus=0, **shows)
    file = serving.driver.folder / "environment"
    text = wait_until(lambda: file.exists() and file.read_text(), 60, "the job has run")
    assert "_CONDOR_SCRATCH_DIR" in text
    assert "MLINFN_GLIDEIN_" not in text


def test_a_site_may_offer_its_cpus_to_sessions_more_than_once(bare, tmp_path):
    site = tmp_path / "site.conf"
    site.write_text(f"{SITE}MLINFN_SESSION_CPU_OVERCOMMIT = 3\n")
    with glidein(bare, "generous", site_config=site) as one:
        one.joined()
        shapes = {(slot["MlinfnOffer"], slot["MlinfnDeviceCpus"]) for slot in one.slots()}
        assert shapes == {("session", 3), ("work", 1), ("opportunistic", 1)}
        trainings = bare.submit(count=2, requirements=one.mine, **T4)
        for training in trainings:
            training.wait_for("computing")
        session = bare.submit(PriorityClass.INTERACTIVE, user="bob", requirements=one.mine, **T4 | {"request_cpus": 3})[
            0
        ]
        session.wait_for("computing")
        assert [training.has("left") for training in trainings].count(True) == 1
        assert one.slots("Cpus == 3 && DynamicSlot")


def test_it_is_in_the_collector_within_seconds(bare):
    began = time.monotonic()
    with glidein(bare, "quick") as one:
        one.joined()
        assert seconds_since(began) < 20  # 4 s on an idle machine: docs/glidein.md
