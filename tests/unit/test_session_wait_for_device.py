"""The notebook side of a hand-over, in a real IPython shell without a kernel."""

import os
from pathlib import Path

import pytest
from IPython.core.interactiveshell import InteractiveShell

from mlinfn_condor.session import wait_for_device
from mlinfn_condor.session.handover import Handover, hide_devices


@pytest.fixture
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "locks").mkdir()
    monkeypatch.setenv("_CONDOR_SCRATCH_DIR", str(tmp_path))
    monkeypatch.setenv("_CONDOR_AssignedGPUs", "GPU-1")
    monkeypatch.setenv("MLINFN_DEVICE_LOCKS", str(tmp_path / "locks"))
    monkeypatch.setenv("MLINFN_DEVICES_SINCE", "1000")
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "GPU-1")


@pytest.fixture
def shell(environment: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> InteractiveShell:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path / "ipython"))
    shell = InteractiveShell()
    shell.history_manager.enabled = False
    return shell


@pytest.fixture
def interrupted(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    def wait(self: Handover, say: object) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(Handover, "wait", wait)
    return monkeypatch


def ready(tmp_path: Path) -> None:
    (tmp_path / ".mlinfn-devices-ready").touch()


def test_a_ready_device_leaves_no_trace_in_the_shell(shell: InteractiveShell, tmp_path: Path) -> None:
    hide_devices(os.environ)
    ready(tmp_path)
    before = list(shell.ast_transformers)
    wait_for_device.load_ipython_extension(shell)
    assert shell.ast_transformers == before
    assert os.environ["CUDA_VISIBLE_DEVICES"] == "GPU-1"


def test_the_device_is_hidden_until_a_cell_has_waited(shell: InteractiveShell, tmp_path: Path) -> None:
    before = list(shell.ast_transformers)
    wait_for_device.load_ipython_extension(shell)
    shell.run_cell("import os; seen = os.environ['CUDA_VISIBLE_DEVICES']", silent=True)
    assert shell.user_ns["seen"] == ""
    ready(tmp_path)
    shell.run_cell("seen = os.environ['CUDA_VISIBLE_DEVICES']")
    assert shell.user_ns["seen"] == "GPU-1"
    assert shell.ast_transformers == before


def test_an_interrupted_cell_does_not_run(shell: InteractiveShell, interrupted: pytest.MonkeyPatch) -> None:
    wait_for_device.load_ipython_extension(shell)
    result = shell.run_cell("ran = True")
    assert isinstance(result.error_before_exec, wait_for_device.DeviceNotReady)
    assert "ran" not in shell.user_ns


def test_the_next_cell_waits_again(shell: InteractiveShell, interrupted: pytest.MonkeyPatch, tmp_path: Path) -> None:
    wait_for_device.load_ipython_extension(shell)
    shell.run_cell("ran = 1")
    assert shell.run_cell("ran = 2").error_before_exec
    interrupted.undo()
    os.environ["_CONDOR_SCRATCH_DIR"] = str(tmp_path)
    ready(tmp_path)
    shell.run_cell("ran = 3")
    assert shell.user_ns["ran"] == 3
