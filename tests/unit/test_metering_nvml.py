"""What the monitor reads from NVML, by the real pynvml over a library that stands in for NVIDIA's, written in C."""

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from nvml_standin import LOST, NO_DRIVER, NOT_SUPPORTED, RESET_REQUIRED, UNKNOWN, build, environment, say

from mlinfn_condor.metering.look import Look

UUID, SHORT = "GPU-8e3f1c2a-0000-4b1c-9c0d-112233445566", "GPU-8e3f1c2a"
SECOND = "GPU-77aa1c2a-0000-4b1c-9c0d-112233445566"
GIB = 1024**3
ALL = ("memory 1073741824 4294967296", "power 70000", "energy 5000", "temperature 41", "clock 1410", "rates 30 5")

LOOKER = """
import json, sys
from dataclasses import asdict
from mlinfn_condor.metering.node_drivers import gpu_driver
driver = gpu_driver()
for line in sys.stdin:
    ids, at = json.loads(line)
    looks = driver.look(ids, at)
    print(json.dumps({one: asdict(look) for one, look in looks.items()}), flush=True)
"""


class Looker:
    """A process that looks at the devices as the monitor does; a test writes between two looks what NVML says."""

    def __init__(self, library: Path, folder: Path) -> None:
        self.script = folder / "nvml"
        self.at = 0.0
        self.process = subprocess.Popen(
            [sys.executable, "-c", LOOKER],
            env=environment(library, self.script),
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

    def looks(self, *lines: str, ids: tuple[str, ...] = (SHORT,), seconds: float = 5) -> dict[str, Look]:
        say(self.script, lines)
        self.at += seconds
        self.process.stdin.write(json.dumps((ids, self.at)) + "\n")
        self.process.stdin.flush()
        told = json.loads(self.process.stdout.readline())
        return {one: Look(**look | {"reasons": tuple(look["reasons"])}) for one, look in told.items()}

    def look(self, *lines: str, **told: float) -> Look:
        return self.looks(f"device {UUID}", *lines, **told)[SHORT]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("nvml"))


@pytest.fixture
def looker(library: Path, tmp_path: Path) -> Iterator[Looker]:
    looker = Looker(library, tmp_path)
    yield looker
    looker.process.communicate(timeout=60)


def test_every_figure_of_a_card_is_read(looker):
    told = looker.look(*ALL, "process 10 1", "process 11 1", "process 11 1")
    assert told == Look(
        5,
        "ok",
        utilisation=0.3,
        energy_joules=5,
        power_watts=70,
        memory_used_mb=1024,
        memory_total_mb=4096,
        temperature_c=41,
        clock_mhz=1410,
        processes=2,
    )


def test_what_a_card_does_not_support_is_unknown_with_its_reason(looker):
    told = looker.look("memory 0 1073741824", "power 70000")
    assert (told.health, told.power_watts, told.energy_joules, told.temperature_c) == ("ok", 70, None, None)
    assert {"energy: Not Supported", "temperature: Not Supported", "clock: Not Supported"} == set(told.reasons)


def test_utilisation_is_the_mean_of_the_samples_since_the_look_before(looker):
    samples = [f"usage {second}000000 {percent}" for second, percent in enumerate((50, 100, 0, 20), start=1)]
    first = looker.look(*ALL, *samples)
    assert first.utilisation == pytest.approx(0.4)
    assert looker.look(*ALL, *samples, "usage 5000000 80", "usage 6000000 100").utilisation == pytest.approx(0.9)


def test_without_samples_the_rate_of_the_moment_stands_in(looker):
    assert looker.look(*ALL).utilisation == 0.3
    assert looker.look(*ALL, f"fail nvmlDeviceGetSamples {NOT_SUPPORTED}").utilisation == 0.3


def test_an_error_half_way_takes_its_figure_and_no_other(looker):
    told = looker.look(*ALL, f"fail nvmlDeviceGetPowerUsage {UNKNOWN}")
    assert (told.health, told.power_watts, told.energy_joules) == ("ok", None, 5)
    assert told.reasons == ("power: Unknown Error",)
    assert looker.look(*ALL).reasons == ()


@pytest.mark.parametrize("code", [LOST, RESET_REQUIRED])
def test_a_card_that_is_lost_in_the_middle_of_a_look_is_broken_and_has_no_figures(looker, code):
    assert looker.look(*ALL).health == "ok"
    told = looker.look(*ALL, f"fail nvmlDeviceGetTotalEnergyConsumption {code}")
    assert (told.health, told.power_watts, told.utilisation) == ("broken", None, None)
    assert told.reasons


def test_a_card_that_fell_off_the_bus_is_broken_and_its_neighbour_is_not(looker):
    both, ids = (f"device {UUID}", *ALL, f"device {SECOND}", *ALL), (SHORT, SECOND)
    assert {look.health for look in looker.looks(*both, ids=ids).values()} == {"ok"}
    lost = f"fail nvmlDeviceGetHandleByIndex_v2 {LOST}"
    told = looker.looks(f"device {UUID}", lost, f"device {SECOND}", *ALL, ids=ids)
    assert (told[SHORT].health, told[SECOND].health) == ("broken", "ok")
    assert told[SHORT].reasons == (f"NVML lists no device {SHORT}", "card 0: GPU is lost")
    # After a reset of the bus the driver may not list it at all.
    assert looker.looks(f"device {SECOND}", *ALL, ids=ids)[SHORT].health == "broken"
    assert looker.looks(*both, ids=ids)[SHORT].health == "ok"


def test_a_driver_that_is_unloaded_breaks_its_devices_until_it_is_back(looker):
    assert looker.look(*ALL).health == "ok"
    gone = looker.looks(f"fail nvmlDeviceGetCount_v2 {NO_DRIVER}")[SHORT]
    assert (gone.health, gone.reasons) == ("broken", ("NVML: Driver Not Loaded",))
    assert looker.looks(f"fail nvmlInitWithFlags {NO_DRIVER}")[SHORT].health == "broken"
    assert looker.look(*ALL).health == "ok"


def test_a_passing_fault_of_the_driver_is_unknown_and_keeps_the_device_on_offer(looker):
    told = looker.looks(f"fail nvmlDeviceGetCount_v2 {UNKNOWN}")[SHORT]
    assert (told.health, told.reasons) == ("unknown", ("NVML: Unknown Error",))


def test_without_the_library_nothing_is_known_of_the_device(tmp_path):
    # Also where this machine has one: an empty file in its place cannot be loaded.
    (tmp_path / "libnvidia-ml.so.1").touch()
    looker = Looker(tmp_path, tmp_path)
    told = looker.look(*ALL)
    assert (told.health, told.reasons) == ("unknown", ("NVML: NVML Shared Library Not Found",))
    looker.process.communicate(timeout=60)


class TestSlices:
    """MIG: the card's power and energy, the slice's memory, and no utilisation."""

    CARD = (f"device {UUID}", "power 280000", "energy 7000", "temperature 60", "clock 1410")
    FIRST, LARGE = "MIG-11111111-2222", "MIG-33333333-4444"
    CUT = (*CARD, f"slice {FIRST} 3", "memory 1073741824 21474836480", "process 10 1", f"slice {LARGE} 4")
    IDS = ("MIG-11111111", "MIG-33333333")

    def test_a_slice_has_its_part_of_the_cards_power(self, looker):
        small, large = looker.looks(*self.CUT, ids=self.IDS).values()
        assert (small.energy_share, large.energy_share) == (3 / 7, 4 / 7)
        assert (small.power_watts, small.energy_joules, small.memory_used_mb, small.processes) == (280, 7, 1024, 1)

    def test_utilisation_of_a_slice_is_unknown(self, looker):
        small = looker.looks(*self.CUT, ids=self.IDS)[self.IDS[0]]
        assert (small.health, small.utilisation) == ("ok", None)
        assert "utilisation: Not Supported" in small.reasons

    def test_a_slice_that_was_reconfigured_away_is_broken_and_the_others_take_over_its_part(self, looker):
        looker.looks(*self.CUT, ids=self.IDS)
        small, large = looker.looks(*self.CARD, f"slice {self.LARGE} 4", ids=self.IDS).values()
        assert (small.health, large.health, large.energy_share) == ("broken", "ok", 1)
