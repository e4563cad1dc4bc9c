"""How the monitor is started, and what its word about broken devices does to START."""

import pytest
from slot_ads import slot, wants

MONITOR = "STARTD_CRON_METERING_"


def test_the_startd_runs_one_monitor_that_stays(batch):
    assert "METERING" in batch.words("STARTD_CRON_JOBLIST")
    assert batch.knob(f"{MONITOR}MODE") == "WaitForExit"
    # HTCondor names a program after its cron job, and Python looks for its environment by that name.
    assert batch.knob(f"{MONITOR}EXECUTABLE") == "/usr/bin/env"


def test_a_report_is_a_whole_number_of_looks(batch):
    look, report = (int(batch.knob(f"MLINFN_METERING_{what}_SECONDS")) for what in ("LOOK", "REPORT"))
    assert report % look == 0
    # The monitor takes no look into account that came a minute after the one before.
    assert look < 60


def test_the_arguments_are_those_that_the_monitor_takes(batch):
    arguments = batch.words(f"{MONITOR}ARGS")
    assert {"--node", "--look", "--report", "--back", "--withdrawn"} == {a for a in arguments if a.startswith("--")}


def test_a_node_without_devices_runs_none(batch):
    condition = batch.knob(f"{MONITOR}CONDITION")
    assert condition == "0 > 0"
    assert batch.evaluate(condition) is False


def test_nothing_is_offline_for_a_startd_that_was_told_of_nothing(batch):
    assert {batch.knob(f"OFFLINE_MACHINE_RESOURCE_{kind}") for kind in ("GPUs", "FPGAs")} == {None}


SLOT = {"AssignedGPUs": "GPU-1,GPU-2", "AssignedFPGAs": "FPGA-1"}


@pytest.mark.parametrize(
    ("broken", "starts"),
    [(None, True), ("", True), ("GPU-9", True), ("GPU-2", False), ("GPU-9,FPGA-1", False)],
)
@pytest.mark.parametrize(("offer", "priority_class"), [("session", "interactive"), ("opportunistic", "batch")])
def test_a_slot_with_a_broken_device_that_is_still_on_offer_starts_nothing(
    batch, broken, starts, offer, priority_class
):
    told = {} if broken is None else {"MlinfnBrokenDevices": broken}
    job = wants(priority_class, RequestGPUs=1)
    assert batch.evaluate(batch.knob("START"), slot(offer, **SLOT, **told), job) is starts


def test_a_slot_without_devices_does_not_mind(batch):
    assert batch.evaluate(batch.knob("START"), slot("work", MlinfnBrokenDevices="GPU-1"), wants("batch")) is True
