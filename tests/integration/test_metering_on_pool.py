"""The meter on a real node whose GPUs are the stand-in of NVML: slots, jobs, history, broken devices."""

import os
import signal
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from driver import Driver, Payload, cleared, wait_until
from nvml_standin import LOST, build, say

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.settings import Settings

FIRST, SECOND, PRETENDED = "GPU-8e3f1c2a", "GPU-77aa1c2a", "GPU-meter-A30-0"
REPORT_SECONDS, BACK_SECONDS = 3, 2
QUICK = f"""
UPDATE_INTERVAL = 5
MLINFN_METERING_LOOK_SECONDS = 1
MLINFN_METERING_REPORT_SECONDS = {REPORT_SECONDS}
MLINFN_METERING_RESTART_SECONDS = 1
MLINFN_DEVICE_BACK_SECONDS = {BACK_SECONDS}
"""
CARD = ("works 40", "draws 100000", "memory 2147483648 16106127360", "temperature 50", "clock 1400")
LIGHT = ("works 0", "draws 20000", "memory 0 16106127360", "temperature 30", "clock 300")


@dataclass(frozen=True)
class Metered:
    """A pool with one node, and what its NVML says."""

    driver: Driver
    script: Path

    def say(self, first: tuple[str, ...] = CARD, second: tuple[str, ...] = LIGHT) -> None:
        say(self.script, (f"device {FIRST}-0000", *first, f"device {SECOND}-0000", *second))

    def readings(self) -> dict[str, dict[str, Any]]:
        slots = self.driver.slots("DeviceReadings isnt undefined")
        return {reading["Id"]: reading for slot in slots for reading in slot["DeviceReadings"]}

    def wait_for_reading(self, one: str, what: str, seconds: float = 30, **figures: object) -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            reading = self.readings().get(one, {})
            return reading if all(reading.get(name) == value for name, value in figures.items()) else None

        return wait_until(found, seconds, what)

    def hold(self, one: str, seconds: float, **lines: object) -> Payload:
        """A batch job on a device, found by its model."""
        model = {FIRST: "T4", SECOND: "T4", PRETENDED: "A30"}[one]
        (payload,) = self.driver.submit(
            request_gpus=1, require_gpus=f'DeviceModel == "{model}"', run_seconds=seconds, **lines
        )
        return payload

    def wait_until_metered(self, one: str, since: float, seconds: float = 60, offer: str = "opportunistic") -> None:
        """Until the slot of the job on this device tells its use up to `since`, seconds of the epoch.

        The job itself in the queue hears of it every few minutes, and when it ends.
        """
        slot = f'DynamicSlot && MlinfnOffer == "{offer}" && stringListMember("{one}", AssignedGPUs)'
        wait_until(
            lambda: self.driver.slots(f"{slot} && GPUsMeteredAtUsage >= {since}"), seconds, f"{one} to be metered"
        )

    def epochs(self, payload: Payload, count: int) -> list[dict[str, Any]]:
        """The attempts of a job, the first one first, when there are as many."""
        name = payload.priority_class.access_point
        ask = ("condor_history", "-name", name, "-epochs", str(payload.cluster))
        return wait_until(
            lambda: (
                sorted(found, key=lambda ad: ad["JobCurrentStartDate"])
                if len(found := self.driver.query(*ask)) == count
                else []
            ),
            30,
            f"{count} attempts in the history",
        )


@pytest.fixture(scope="module")
def pool(pool_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Metered]:
    folder = tmp_path_factory.mktemp("metered")
    library, script = build(folder), folder / "script"
    devices = (
        Device("GPUs", FIRST, "T4", "Tesla T4", 15360, simulated=False),
        Device("GPUs", SECOND, "T4", "Tesla T4", 15360, simulated=False),
        Device("GPUs", PRETENDED, "A30", "Simulated A30", 24576, simulated=True),
        Device("FPGAs", "FPGA-card", "U50", "Alveo U50", 8192, simulated=False),
    )
    env = f'STARTD_CRON_METERING_ENV = "LD_LIBRARY_PATH={library} NVML_STANDIN={script}"\n'
    blueprint = Blueprint((Node("meter", 16, 65536, devices),), use_real_devices=False, overrides=QUICK + env)
    settings = Settings(home=pool_home, pool="metered")
    metered = Metered(Driver(lifecycle.up(settings, blueprint=blueprint), folder), script)
    metered.say()
    yield metered
    lifecycle.down(settings, graceful_seconds=0)


@pytest.fixture
def metered(pool: Metered) -> Iterator[Metered]:
    pool.say()
    with cleared(pool.driver):
        yield pool


def test_a_primary_slot_carries_the_readings_of_all_its_devices(metered):
    metered.wait_for_reading(FIRST, "a reading of the meter", Health="ok", MemoryUsedMb=2048)
    (slot,) = metered.driver.slots('DeviceReadings isnt undefined && GPUs_DeviceModel == "T4"')
    assert slot["MlinfnOffer"] == "session"
    assert (
        {reading["Id"] for reading in slot["DeviceReadings"]} == {FIRST, SECOND} == set(slot["AssignedGPUs"].split(","))
    )
    assert metered.driver.slots('DeviceReadings isnt undefined && MlinfnOffer != "session"') == []


def test_readings_rise_as_the_card_says(metered):
    before = metered.wait_for_reading(FIRST, "a reading", EnergySource="counter", PowerWatts=100)
    after = wait_until(lambda: (now := metered.readings()[FIRST])["At"] > before["At"] + 6 and now, 40, "a later one")
    assert after["CounterStart"] == before["CounterStart"]
    seconds = after["EnergySeconds"] - before["EnergySeconds"]
    assert (after["Joules"] - before["Joules"]) / seconds == pytest.approx(100, rel=0.02)
    busy = (after["BusySeconds"] - before["BusySeconds"]) / (after["MeasuredSeconds"] - before["MeasuredSeconds"])
    assert busy == pytest.approx(0.4, abs=0.01)
    assert seconds == pytest.approx(after["At"] - before["At"], abs=2)


def test_what_nobody_can_tell_is_absent_and_says_why(metered):
    fpga = metered.wait_for_reading("FPGA-card", "a reading of the FPGA")
    assert {"PowerWatts", "EnergySource", "TemperatureC"} & set(fpga) == set()
    assert (fpga["MeasuredSeconds"], fpga["EnergySeconds"], fpga["Health"]) == (0, 0, "unknown")
    assert "nothing tells the utilisation of an FPGA" in fpga["Reason"]


def test_the_history_of_each_attempt_says_what_its_devices_did(metered):
    busy = ("works 40", "draws 100000", "memory 2147483648 16106127360")
    metered.say(busy, busy)
    for one in (FIRST, SECOND):
        metered.wait_for_reading(one, "both cards to work", MemoryUsedMb=2048, PowerWatts=100)
    payload = metered.hold(FIRST, 3600)
    computing = payload.wait_for("computing")
    # What was measured before the attempt, up to one report, counts with it: let it be a small part.
    metered.wait_until_metered(*computing.devices, computing.when + 15)
    metered.say(LIGHT, LIGHT)
    metered.driver.run("condor_vacate_job", "-name", "batch@", str(payload.cluster))
    computing = payload.wait_for("computing", 60, count=2)
    metered.wait_until_metered(*computing.devices, computing.when + 15)
    metered.driver.run("condor_rm", "-name", "batch@", str(payload.cluster))
    first, second = metered.epochs(payload, 2)
    assert first["GPUsAverageUsage"] / first["GPUsMeasuredAverageUsage"] == pytest.approx(0.4, abs=0.03)
    assert first["GPUsWattsAverageUsage"] / first["GPUsWattsMeasuredAverageUsage"] == pytest.approx(100, rel=0.05)
    assert first["GPUsMemoryUsage"] == 2048
    assert second["GPUsAverageUsage"] < 0.1
    assert second["GPUsWattsAverageUsage"] == pytest.approx(20, abs=15)
    assert second["GPUsMeteredAtUsage"] > first["EpochWriteDate"] >= first["GPUsMeteredAtUsage"]


def test_an_attempt_that_ended_before_a_report_does_not_show_the_one_before(metered):
    payload = metered.hold(FIRST, 3600, leave_seconds=0)
    computing = payload.wait_for("computing")
    metered.wait_until_metered(*computing.devices, computing.when + 5)
    os.kill(monitor(metered), signal.SIGSTOP)
    try:
        metered.driver.run("condor_vacate_job", "-name", "batch@", str(payload.cluster))
        payload.wait_for("computing", 60, count=2)
        metered.driver.run("condor_rm", "-name", "batch@", str(payload.cluster))
        first, second = metered.epochs(payload, 2)
    finally:
        os.kill(monitor(metered), signal.SIGCONT)
        # Otherwise the next job's first interval would reach back to before the stop.
        stopped_until = time.time()
        wait_until(lambda: metered.readings()[FIRST]["At"] > stopped_until, 30, "the monitor to report again")
    assert first["GPUsMeteredAtUsage"] >= first["JobCurrentStartDate"]
    assert (second.get("GPUsMeteredAtUsage") or 0) < second["JobCurrentStartDate"]


def test_in_a_hand_over_victim_and_session_are_metered_apart(metered):
    """Both have the device for the length of the window, and HTCondor keeps sums per device."""
    stated = '"MLINFN_SIMULATED_BUSY=0.5"'
    victim = metered.hold(PRETENDED, 3600, environment=stated, leave_seconds=8)
    computing = victim.wait_for("computing")
    metered.wait_until_metered(PRETENDED, computing.when + 10)
    (session,) = metered.driver.submit(
        PriorityClass.INTERACTIVE,
        user="bob",
        request_gpus=1,
        require_gpus='DeviceModel == "A30"',
        environment=stated,
    )
    victim.wait_for("left", 60)
    started = session.wait_for("computing", 60)
    (record,) = metered.epochs(victim, 1)
    assert record["GPUsMeteredAtUsage"] > victim.wait_for("asked-to-leave").when
    # Had the session's start begun its sums anew, the victim's would be those of its window alone.
    known = record["GPUsMeteredAtUsage"] - record["JobCurrentStartDate"]
    assert 0.5 * (known - REPORT_SECONDS) / (known + REPORT_SECONDS) <= record["GPUsAverageUsage"] <= 0.51
    metered.wait_until_metered(PRETENDED, started.when + 10, offer="session")
    metered.driver.run("condor_rm", "-name", "interactive@", str(session.cluster), user="bob")
    (record,) = metered.epochs(session, 1)
    assert record["GPUsAverageUsage"] == pytest.approx(0.5, abs=0.01)


def monitor(pool: Metered) -> int:
    """Pid of the monitor."""
    description = str(pool.driver.pool.layout.node_description("meter")).encode()
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"mlinfn_condor.metering.monitor" in command and description in command:
                return int(process.name)
    raise AssertionError("no monitor runs")


def offered(pool: Metered) -> dict[str, int]:
    """Devices of model T4 that the primary and the backfill slot still offer, and whether they say which."""
    t4 = {FIRST, SECOND}
    return {
        slot["MlinfnOffer"]: len(t4 & {one for one in t4 if one.replace("-", "_") in str(slot.get("AvailableGPUs"))})
        for slot in pool.driver.slots("PartitionableSlot && TotalSlotGPUs > 0")
        if t4 & set(slot["AssignedGPUs"].split(","))
    }


def test_a_broken_card_is_withdrawn_its_neighbour_serves_and_it_comes_back(metered):
    assert wait_until(lambda: offered(metered) == {"session": 2, "opportunistic": 2}, 30, "both cards on offer")
    metered.say(second=(f"fail nvmlDeviceGetHandleByIndex_v2 {LOST}",))
    broken = metered.wait_for_reading(SECOND, "the broken card's reading", Health="broken")
    assert "GPU is lost" in broken["Reason"]
    wait_until(lambda: offered(metered) == {"session": 1, "opportunistic": 1}, 30, "one card to be withdrawn")
    one = metered.hold(FIRST, 3600)
    assert one.wait_for("computing").devices == (FIRST,)
    another = metered.hold(FIRST, 0.1)
    (session,) = metered.driver.submit(
        PriorityClass.INTERACTIVE, user="bob", request_gpus=2, require_gpus='DeviceModel == "T4"'
    )
    metered.say()
    # Only now, with both cards, can the session and after it the other job have what they asked for.
    assert set(session.wait_for("computing", 90).devices) == {FIRST, SECOND}
    assert not another.has("started")
    assert metered.readings()[SECOND]["Health"] == "ok"


def test_a_monitor_that_was_killed_begins_new_counters_and_keeps_broken_cards_out(metered):
    metered.say(second=(f"fail nvmlDeviceGetHandleByIndex_v2 {LOST}",))
    before = metered.wait_for_reading(SECOND, "the broken card's reading", Health="broken")
    wait_until(lambda: offered(metered) == {"session": 1, "opportunistic": 1}, 30, "one card to be withdrawn")
    os.kill(monitor(metered), signal.SIGKILL)
    after = wait_until(
        lambda: (now := metered.readings()[SECOND])["CounterStart"] > before["CounterStart"] and now, 30, "new counters"
    )
    assert after["Health"] == "broken"
    assert offered(metered) == {"session": 1, "opportunistic": 1}
    metered.say()
    wait_until(lambda: offered(metered) == {"session": 2, "opportunistic": 2}, 30, "both cards on offer")


def test_a_startd_that_starts_anew_while_a_card_is_broken_serves_all_the_same(metered):
    metered.say(second=(f"fail nvmlDeviceGetHandleByIndex_v2 {LOST}",))
    wait_until(lambda: offered(metered) == {"session": 1, "opportunistic": 1}, 30, "one card to be withdrawn")
    before = metered.readings()[FIRST]["CounterStart"]
    status = (Path("/proc") / str(monitor(metered)) / "status").read_text()
    startd = next(int(line.split()[1]) for line in status.splitlines() if line.startswith("PPid:"))
    os.kill(startd, signal.SIGKILL)
    wait_until(
        lambda: (
            metered.readings().get(FIRST, {}).get("CounterStart", 0) > before
            and offered(metered) == {"session": 1, "opportunistic": 1}
        ),
        90,
        "the new startd to serve, without the broken card",
    )
    one = metered.hold(FIRST, 0.1)
    assert one.wait_for("computing", 60).devices == (FIRST,)
