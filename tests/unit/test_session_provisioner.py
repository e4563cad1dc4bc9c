"""How kernels are started while a device is being handed over."""

import asyncio
import sys
from pathlib import Path

import pytest
from jupyter_client.kernelspec import KernelSpec

from mlinfn_condor.session.provisioner import DeviceProvisioner, can_wait_by_itself

OURS = [sys.executable, "-m", "ipykernel_launcher", "-f", "connection.json"]


@pytest.fixture
def scratch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("_CONDOR_SCRATCH_DIR", str(tmp_path))
    monkeypatch.setenv("_CONDOR_AssignedGPUs", "GPU-1")
    monkeypatch.setenv("MLINFN_DEVICE_LOCKS", str(tmp_path))
    monkeypatch.setenv("MLINFN_DEVICES_SINCE", "1000")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")
    return tmp_path


def launch(argv: list[str], seconds: float = 60) -> dict[str, object]:
    provisioner = DeviceProvisioner(kernel_id="1", kernel_spec=KernelSpec(argv=argv))
    return asyncio.run(asyncio.wait_for(provisioner.pre_launch(), seconds))


def test_our_python_kernel_starts_at_once_and_waits_by_itself(scratch: Path) -> None:
    started = launch(OURS)
    assert started["cmd"] == [*OURS, "--ext=mlinfn_condor.session.wait_for_device"]
    assert started["env"]["CUDA_VISIBLE_DEVICES"] == ""


@pytest.mark.parametrize("argv", [["Rkernel"], ["/opt/other/bin/python", *OURS[1:]], [sys.executable, "other.py"]])
def test_other_kernels_are_not_started_before_the_device_is_ready(scratch: Path, argv: list[str]) -> None:
    with pytest.raises(asyncio.TimeoutError):
        launch(argv, seconds=0.3)
    (scratch / ".mlinfn-devices-ready").touch()
    assert launch(argv)["cmd"] == argv


def test_with_the_device_ready_kernels_start_as_ever(scratch: Path) -> None:
    (scratch / ".mlinfn-devices-ready").touch()
    started = launch(OURS)
    assert started["cmd"] == OURS
    assert started["env"]["CUDA_VISIBLE_DEVICES"] == "GPU-1"


def test_a_kernel_of_another_python_cannot_import_our_extension() -> None:
    assert can_wait_by_itself(OURS)
    assert not can_wait_by_itself(["/opt/other/bin/python", *OURS[1:]])
