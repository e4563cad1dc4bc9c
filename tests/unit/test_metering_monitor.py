"""The monitor as the startd runs it: a process that reports on a pipe, and what stands in a report."""

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from nvml_standin import LOST, build, environment, say

from mlinfn_condor.metering.advertised import Metered, reading, report
from mlinfn_condor.metering.counters import Counters
from mlinfn_condor.metering.look import Look
from mlinfn_condor.metering.monitor import Intervals, Monitor
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device

NOW = 1_800_000_030
CARD = Device("GPUs", "GPU-1", "T4", "Tesla T4", 15360, simulated=False)
TWIN, FPGA = replace(CARD, id="GPU-2"), replace(CARD, kind="FPGAs", id="FPGA-1", model="U50")


def metered(device: Device = CARD, look: Look | None = None, **figures: object) -> Metered:
    start = Counters(1_800_000_000, Look(0))
    counters = replace(start, last=look or Look(30, "ok"), **figures)
    return Metered(device, counters, start)


def block(told: str, name: str) -> list[str]:
    """The lines of one ad of a report."""
    ads: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in told.splitlines():
        if line.startswith("- "):
            ads[line.split()[1]], lines = lines, []
        else:
            lines.append(line)
    assert lines == []
    return ads[name]


def test_a_reading_holds_what_is_known_and_nothing_else():
    known = Look(30, "ok", ("clock: Not Supported",), power_watts=70.04, memory_used_mb=0, processes=2)
    told = reading(metered(look=known, busy_seconds=12.3456, measured_seconds=30.0), NOW)
    assert told == (
        '[ Id = "GPU-1"; Model = "T4"; At = 1800000030; CounterStart = 1800000000; BusySeconds = 12.346; '
        "MeasuredSeconds = 30.0; Joules = 0.0; EnergySeconds = 0.0; PowerWatts = 70.0; MemoryUsedMb = 0; "
        'Processes = 2; Health = "ok"; Reason = "clock: Not Supported" ]'
    )


def test_a_drivers_words_cannot_break_out_of_their_string():
    told = reading(metered(look=Look(30, "broken", ('said "no" \\ and\n- left ü',))), NOW)
    assert "\n" not in told
    assert 'Reason = "said \\"no\\" \\\\ and - left u00fc" ]' in told


def test_each_primary_slot_gets_the_readings_of_its_model():
    told = report([metered(CARD), metered(FPGA), metered(TWIN)], NOW)
    constraint, readings = block(told, "slot0")
    assert constraint.endswith('stringListsIntersect("GPU-1,GPU-2", AssignedGPUs)')
    assert readings.count("Id = ") == 2
    constraint, readings = block(told, "slot1")
    assert 'stringListsIntersect("FPGA-1", AssignedFPGAs)' in constraint


@pytest.mark.parametrize(("name", "backfill"), [("primary0", "=!="), ("backfill0", "=?=")])
def test_jobs_of_both_kinds_of_slot_get_what_happened_since_the_last_report(name, backfill):
    one = metered(busy_seconds=50.0, measured_seconds=60.0, joules=7000.0, energy_seconds=60.0)
    before = replace(one.counters, busy_seconds=40.0, measured_seconds=30.0, joules=1000.0, energy_seconds=30.0)
    constraint, *figures = block(report([replace(one, since_report=before, peak_memory_mb=77)], NOW), name)
    assert f"BackfillSlot {backfill} true" in constraint
    assert figures == [
        "UptimeGPUsSeconds = 10.000",
        "UptimeGPUsMeasuredSeconds = 30.000",
        "UptimeGPUsWattsSeconds = 6000.000",
        "UptimeGPUsWattsMeasuredSeconds = 30.000",
        "UptimeGPUsMemoryPeakUsage = 77",
        "UptimeGPUsMeteredAtPeakUsage = 1800000030",
    ]


def test_broken_devices_are_named_to_start_only_while_they_are_still_on_offer():
    assert block(report([metered()], NOW), "broken")[1] == 'MlinfnBrokenDevices = ""'
    assert block(report([metered()], NOW, ["GPU-2", "GPU-1"]), "broken")[1] == 'MlinfnBrokenDevices = "GPU-1,GPU-2"'


class Scripted:
    """Drivers and startd in one, for a monitor: says what it is told to say."""

    def __init__(self) -> None:
        self.next: dict[str, Look] = {}
        self.told: list[list[str]] = []
        self.refusal: str | None = None

    def look(self, at: float) -> dict[str, Look]:
        return {one: replace(look, at=at) for one, look in self.next.items()}

    def withdrawn(self, devices: object) -> frozenset[str]:
        return frozenset()

    def tell(self, devices: object, withdrawn: frozenset[str]) -> str | None:
        self.told.append(sorted(withdrawn))
        return self.refusal


def test_the_startd_hears_of_broken_devices_once_and_is_tried_again_while_it_cannot():
    scripted = Scripted()
    monitor = Monitor(Node("n", 1, 1, (CARD,)), scripted, scripted, Intervals(5, 30, 10))
    for at, health in enumerate(("ok", "broken", "broken")):
        scripted.next = {"GPU-1": Look(0, health)}
        monitor.look(at, NOW + at)
    assert scripted.told == [["GPU-1"]]
    scripted.refusal = "the startd cannot be told: Operation not permitted"
    for at, health in ((20, "ok"), (31, "ok"), (36, "ok")):
        scripted.next = {"GPU-1": Look(0, health)}
        monitor.look(at, NOW + at)
    assert scripted.told[1:] == [[], []]
    scripted.next = {"GPU-1": Look(0, "broken")}
    monitor.look(41, NOW + 41)
    assert 'MlinfnBrokenDevices = "GPU-1"' in monitor.report(NOW)


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


CARDS = (f"device {CARD.id}-0000", "works 40", "draws 70000", f"device {TWIN.id}-0000", "works 0", "draws 20000")


@pytest.fixture
def process(library: Path, tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    Node("n", 4, 4096, (CARD, TWIN)).write(tmp_path / "node.json")
    say(tmp_path / "nvml", CARDS)
    command = [sys.executable, "-m", "mlinfn_condor.metering.monitor", "--node", str(tmp_path / "node.json")]
    command += ["--look", "0.1", "--report", "0.2", "--back", "0.1", "--withdrawn", str(tmp_path / "withdrawn")]
    # A shell in between takes the signal that is meant for the startd.
    shell = ["sh", "-c", 'trap "echo heard >&2" HUP; "$@"; exit', "sh", *command]
    with subprocess.Popen(
        shell, env=environment(library, tmp_path / "nvml"), stdout=subprocess.PIPE, text=True, start_new_session=True
    ) as process:
        yield process
        process.stdout.close()


def wait_for(process: "subprocess.Popen[str]", what: str, seconds: float = 60) -> str:
    """The next line that holds this."""
    deadline = time.monotonic() + seconds
    for line in process.stdout:
        if what in line:
            return line
        assert time.monotonic() < deadline, f"{seconds} s without {what}"
    raise AssertionError(f"the monitor ended before it said {what}")


def test_the_monitor_reports_until_nobody_listens(process):
    assert 'EnergySource = "counter"' in wait_for(process, "EnergySource")
    process.stdout.close()
    assert process.wait(60) == 0


def test_a_card_that_is_lost_half_way_does_not_stop_it(process, tmp_path):
    wait_for(process, "EnergySource")
    say(tmp_path / "nvml", (f"device {CARD.id}-0000", f"fail nvmlDeviceGetHandleByIndex_v2 {LOST}", *CARDS[3:]))
    told = wait_for(process, 'Health = "broken"')
    assert "card 0: GPU is lost" in told
    assert told.count('Health = "ok"') == 1
    withdrawn = (tmp_path / "withdrawn").read_text()
    assert f"= {CARD.id}\n" in withdrawn
    say(tmp_path / "nvml", CARDS)
    while 'Health = "broken"' in wait_for(process, "DeviceReadings"):
        pass
    while "= \n" not in (tmp_path / "withdrawn").read_text():
        wait_for(process, "DeviceReadings")


LOADED = """
import sys
import mlinfn_condor.metering.monitor
print([module for module in ("pydantic", "typer", "pynvml", "htcondor2") if module in sys.modules])
"""


def test_the_monitor_loads_neither_settings_nor_bindings_nor_a_driver_that_it_may_not_need():
    """It runs all day on every node."""
    assert subprocess.run([sys.executable, "-c", LOADED], capture_output=True, text=True).stdout == "[]\n"
