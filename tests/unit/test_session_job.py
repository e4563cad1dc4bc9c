"""What a session reads of the ads that the starter leaves beside it."""

from pathlib import Path

import pytest

from mlinfn_condor.session.job import Device, Job

MACHINE_AD = """AssignedGPUs = "GPU-nodeb-A100-1"
FPGAs_FPGA_nodeb_U250_0 = [ id = "FPGA-nodeb-U250-0"; DeviceModel = "U250"; Simulated = true ]
GPUs_DeviceModel = "A100"
GPUs_GPU_nodeb_A100_1 = [ Simulated = false; Id = "GPU-nodeb-A100-1"; DeviceName = "NVIDIA A100"; DeviceModel = "A100" ]
Name = "slot5_1@nodeb@host"
"""


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "job").write_text('ClusterId = 12\nCmd = "/usr/bin/env"\nProcId = 3\n')
    (tmp_path / "machine").write_text(MACHINE_AD)
    return {
        "_CONDOR_JOB_AD": str(tmp_path / "job"),
        "_CONDOR_MACHINE_AD": str(tmp_path / "machine"),
        "_CONDOR_AssignedGPUs": "GPU-nodeb-A100-1",
        "_CONDOR_AssignedFPGAs": "FPGA-nodeb-U250-0, FPGA-unknown",
    }


def test_job_and_node_are_named(environment: dict[str, str]) -> None:
    job = Job.around(environment)
    assert (job.id, job.node) == ("12.3", "nodeb@host")


@pytest.mark.parametrize(
    ("told", "address"),
    [
        ("<10.0.0.7:9618?addrs=10.0.0.7-9618&alias=nodeb>", "10.0.0.7"),
        ("<[2001:db8::7]:9618?addrs=[2001-db8--7]-9618>", "2001:db8::7"),
        ("nonsense", None),
    ],
)
def test_the_nodes_address_is_its_startds(environment: dict[str, str], told: str, address: str | None) -> None:
    with Path(environment["_CONDOR_MACHINE_AD"]).open("a") as machine:
        machine.write(f'MyAddress = "{told}"\n')
    assert Job.around(environment).address == address


def test_assigned_devices_are_described_as_far_as_the_node_tells(environment: dict[str, str]) -> None:
    assert Job.around(environment).devices == (
        Device("GPU-nodeb-A100-1", "GPU", "A100", simulated=False),
        Device("FPGA-nodeb-U250-0", "FPGA", "U250", simulated=True),
        Device("FPGA-unknown", "FPGA"),
    )


def test_outside_htcondor_there_is_no_job() -> None:
    assert Job.around({}) == Job(None, None, ())


def test_no_device_is_no_device(environment: dict[str, str]) -> None:
    nothing = {"_CONDOR_AssignedGPUs": "10000", "_CONDOR_AssignedFPGAs": ""}
    assert Job.around(environment | nothing).devices == ()


def test_unreadable_ads_are_no_error(environment: dict[str, str]) -> None:
    missing = environment | {"_CONDOR_JOB_AD": "/nowhere", "_CONDOR_MACHINE_AD": "/nowhere"}
    assert Job.around(missing).devices[0] == Device("GPU-nodeb-A100-1", "GPU")


@pytest.mark.parametrize(
    ("device", "label"),
    [
        (Device("GPU-1", "GPU", "T4", simulated=True), "T4, simulated"),
        (Device("GPU-1", "GPU", "T4"), "T4"),
        (Device("GPU-1", "GPU"), "GPU-1"),
    ],
)
def test_a_simulated_device_says_so(device: Device, label: str) -> None:
    assert device.label == label


def test_it_knows_which_start_of_the_job_it_is(environment: dict[str, str]) -> None:
    assert Job.around(environment).start is None
    with Path(environment["_CONDOR_JOB_AD"]).open("a") as job:
        job.write("JobCurrentStartDate = 1795658988\n")
    assert Job.around(environment).start == 1795658988
