"""Simulated devices and FPGAs: what is made up says so, what nobody tells is unknown."""

import json
import os
from pathlib import Path

import pytest

from mlinfn_condor.metering.fpga import XBUTIL_EVERY_SECONDS, FpgaDriver
from mlinfn_condor.metering.simulated import FULL_WATTS, IDLE_WATTS, SimulatedDriver, payloads_are_ours

TICKS = os.sysconf("SC_CLK_TCK")
GPU, OTHER = "GPU-n-T4-0", "GPU-n-T4-1"


def process(
    proc: Path, pid: int, seconds: float, environment: dict[str, str] | None = None, started: int = 7, code: int = 1
) -> None:
    (proc / str(pid)).mkdir(exist_ok=True)
    fields = ["S", *["0"] * 10, str(int(seconds * TICKS)), "0", *["0"] * 6, str(started), "0", "0", "0", str(code)]
    (proc / str(pid) / "stat").write_text(f"{pid} (a) b) {' '.join(fields)}")
    told = environment or {}
    (proc / str(pid) / "environ").write_bytes(b"\0".join(f"{name}={value}".encode() for name, value in told.items()))


def test_a_simulated_device_is_as_busy_as_the_processor_work_of_its_payload(tmp_path):
    driver, job = SimulatedDriver(tmp_path), {"_CONDOR_AssignedGPUs": GPU}
    process(tmp_path, 10, 5, job)
    assert driver.look([GPU], 0)[GPU].utilisation is None
    process(tmp_path, 10, 6, job)
    process(tmp_path, 11, 1.5, job)  # A child that was not there before.
    process(tmp_path, 12, 99)
    looks = driver.look([GPU, OTHER], 10)
    assert looks[GPU].utilisation == pytest.approx(0.25)
    assert looks[OTHER].utilisation == 0
    assert looks[GPU].power_watts == pytest.approx(IDLE_WATTS + (FULL_WATTS - IDLE_WATTS) / 4)
    assert looks[GPU].simulated
    assert looks[GPU].reasons == ("simulated: as busy as the processor work of its payload",)


def test_several_cores_make_one_device_busy_and_no_more(tmp_path):
    driver, job = SimulatedDriver(tmp_path), {"_CONDOR_AssignedFPGAs": f"{GPU},{OTHER}"}
    process(tmp_path, 10, 0, job)
    driver.look([GPU], 0)
    process(tmp_path, 10, 40, job)
    assert {look.utilisation for look in driver.look([GPU, OTHER], 10).values()} == {1}


@pytest.mark.parametrize(("stated", "told"), [("0.3", 0.3), ("7", 1.0), ("much", 0.0)])
def test_a_payload_may_state_how_busy_its_device_is(tmp_path, stated, told):
    driver = SimulatedDriver(tmp_path)
    process(tmp_path, 10, 0, {"_CONDOR_AssignedGPUs": GPU, "MLINFN_SIMULATED_BUSY": stated})
    driver.look([GPU], 0)
    assert driver.look([GPU], 5)[GPU].utilisation == told


def test_a_pid_that_was_given_out_again_is_another_process(tmp_path):
    driver = SimulatedDriver(tmp_path)
    process(tmp_path, 10, 0, {"_CONDOR_AssignedGPUs": GPU})
    driver.look([GPU], 0)
    process(tmp_path, 10, 4, started=8)
    assert driver.look([GPU], 5)[GPU].utilisation == 0


def test_a_process_that_was_seen_before_it_became_the_payload_is_looked_at_again(tmp_path):
    driver = SimulatedDriver(tmp_path)
    process(tmp_path, 10, 0)
    driver.look([GPU], 0)
    process(tmp_path, 10, 1, {"_CONDOR_AssignedGPUs": GPU}, code=2)
    driver.look([GPU], 5)
    process(tmp_path, 10, 2, {"_CONDOR_AssignedGPUs": GPU}, code=2)
    assert driver.look([GPU], 10)[GPU].utilisation == pytest.approx(0.2)


def test_where_payloads_belong_to_others_their_work_is_unknown(tmp_path):
    look = SimulatedDriver(tmp_path, sees_payloads=False).look([GPU], 0)[GPU]
    assert (look.utilisation, look.power_watts, look.health) == (None, None, "ok")
    assert look.reasons


@pytest.mark.parametrize(
    ("status", "ours"),
    [("Uid:\t7\t7\t7\t7\n", True), ("Uid:\t0\t7\t0\t7\n", False), ("Name: x\n", False), (None, False)],
)
def test_a_startd_of_root_gives_payloads_to_their_owners(tmp_path, status, ours):
    (tmp_path / "5").mkdir()
    if status is not None:
        (tmp_path / "5/status").write_text(f"Name:\tcondor_startd\n{status}")
    assert payloads_are_ours(tmp_path, 5) is ours


FPGA, ADDRESS = "FPGA-0000:3b:00.1", "0000:3b:00.1"


@pytest.fixture
def sysfs(tmp_path: Path) -> Path:
    (tmp_path / "bus/pci/devices" / ADDRESS / "hwmon/hwmon3").mkdir(parents=True)
    return tmp_path


def test_an_fpgas_power_comes_from_the_kernels_sensor(sysfs):
    (sysfs / "bus/pci/devices" / ADDRESS / "hwmon/hwmon3/power1_input").write_text("23500000\n")
    look = FpgaDriver(sysfs).look([FPGA], 0)[FPGA]
    assert (look.health, look.power_watts, look.utilisation) == ("ok", 23.5, None)
    assert look.reasons == ("nothing tells the utilisation of an FPGA",)


def test_without_sensor_and_tools_power_is_unknown(sysfs):
    look = FpgaDriver(sysfs).look([FPGA], 0)[FPGA]
    assert (look.health, look.power_watts) == ("ok", None)
    assert "power: no hwmon sensor and no answer from xbutil" in look.reasons


def test_an_fpga_without_an_address_is_unknown_and_one_that_the_bus_lost_is_broken(sysfs):
    looks = FpgaDriver(sysfs).look(["FPGA-1", "FPGA-0000:99:00.1"], 0)
    assert [look.health for look in looks.values()] == ["unknown", "broken"]


@pytest.fixture
def xbutil(tmp_path: Path) -> Path:
    """Answers as xbutil 2.14 does, and counts how often it is asked."""
    told = {"devices": [{"electrical": {"power_consumption_max_watts": "225", "power_consumption_watts": "19.25"}}]}
    script = tmp_path / "xbutil"
    script.write_text(f"""#!/bin/sh
echo "$*" >> {tmp_path}/asked
while [ "$1" != --output ]; do shift; done
echo '{json.dumps(told)}' > "$2"
""")
    script.chmod(0o755)
    return script


def test_xbutil_tells_the_power_and_is_asked_seldom(sysfs, xbutil):
    driver = FpgaDriver(sysfs, str(xbutil))
    watts = [driver.look([FPGA], at)[FPGA].power_watts for at in (0, 5, XBUTIL_EVERY_SECONDS)]
    assert watts == [19.25] * 3
    asked = (xbutil.parent / "asked").read_text().splitlines()
    assert len(asked) == 2
    assert f"examine --device {ADDRESS} --report electrical --format JSON" in asked[0]


def test_an_xbutil_that_fails_leaves_power_unknown(sysfs, tmp_path):
    (tmp_path / "xbutil").write_text("#!/bin/sh\nexit 1\n")
    (tmp_path / "xbutil").chmod(0o755)
    assert FpgaDriver(sysfs, str(tmp_path / "xbutil")).look([FPGA], 0)[FPGA].power_watts is None
