"""A real JupyterLab session whose device another process still holds: what its notebook and its terminal show.

No HTCondor: the test starts holder and session through hold-devices as the starter would.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import websocket
from notebook import SECONDS, Cell, Kernel

from mlinfn_condor.session.folder import Server, SessionFolder, prepare, wait_until_answering
from mlinfn_condor.shipped import shipped

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="Jupyter refuses root; `make test` runs as another user")

WRAPPER = shipped("glidein") / "libexec" / "hold-devices"
WAITING = "The GPU is being handed over by a batch job that is saving its state, at most "
READY = "Your GPU (A100, simulated) is ready"


class Node:
    """Starts payloads as a starter does, with the same simulated A100 for each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.payloads: list[subprocess.Popen[bytes]] = []

    def start(self, priority_class: str, *command: str) -> subprocess.Popen[bytes]:
        scratch = self.folder / f"{priority_class}{len(self.payloads)}"
        scratch.mkdir(mode=0o700)
        (scratch / ".job.ad").write_text(
            f'ClusterId = {len(self.payloads)}\nProcId = 0\nPriorityClass = "{priority_class}"\nJobMaxVacateTime = 30\n'
        )
        (scratch / ".machine.ad").write_text(
            'Name = "slot1_1@nodeb@host"\nGPUs_GPU_1 = [ Id = "GPU-1"; DeviceModel = "A100"; Simulated = true ]\n'
        )
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(self.folder),
            "SHELL": "/bin/sh",
            "CUDA_VISIBLE_DEVICES": "GPU-1",
            "MLINFN_DEVICE_LOCKS": str(self.folder / "locks"),
            "_CONDOR_AssignedGPUs": "GPU-1",
            "_CONDOR_JOB_AD": str(scratch / ".job.ad"),
            "_CONDOR_MACHINE_AD": str(scratch / ".machine.ad"),
            "_CONDOR_SCRATCH_DIR": str(scratch),
        }
        with (scratch / "log").open("wb") as log:
            payload = subprocess.Popen([WRAPPER, *command], env=environment, stdout=log, stderr=log, cwd=scratch)
        self.payloads.append(payload)
        return payload

    def end(self) -> None:
        for payload in reversed(self.payloads):
            payload.terminate()
            try:
                payload.wait(SECONDS)
            except subprocess.TimeoutExpired:  # how a session ends has a test of its own
                payload.kill()
                payload.wait()


@pytest.fixture
def node() -> Iterator[Node]:
    # Kernels' sockets and locks: a short path that belongs to us alone.
    with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
        node = Node(Path(folder))
        yield node
        node.end()


@pytest.fixture
def holder(node: Node) -> subprocess.Popen[bytes]:
    """A batch job that computes on the device."""
    batch = node.start("batch", "sleep", "600")
    lock = node.folder / "locks/GPU-1"
    deadline = time.monotonic() + SECONDS
    while not (lock.exists() and lock.read_text()):
        assert time.monotonic() < deadline, "the batch job did not take its device"
        time.sleep(0.02)
    return batch


@pytest.fixture
def folder(node: Node) -> SessionFolder:
    return prepare(node.folder, "one")


def serve(node: Node, folder: SessionFolder) -> Server:
    command = ["python", "-m", "mlinfn_condor.session.server", "--folder", str(folder.path)]
    session = node.start("interactive", *command)

    def still_coming() -> None:
        assert session.poll() is None, (node.folder / "interactive1/log").read_text()

    return wait_until_answering(folder, SECONDS, still_coming)


@pytest.fixture
def waiting(holder: subprocess.Popen[bytes], node: Node, folder: SessionFolder) -> Server:
    """A session that answers while the batch job still has its device."""
    return serve(node, folder)


@pytest.fixture
def kernel(waiting: Server, folder: SessionFolder) -> Iterator[Kernel]:
    kernel = Kernel(waiting, folder.token())
    yield kernel
    kernel.socket.close()


SEE_DEVICE = "import os; print('runs on', os.environ['CUDA_VISIBLE_DEVICES'])"


def test_the_session_tells_where_it_is(waiting: Server) -> None:
    assert (waiting.node, waiting.job, waiting.devices) == ("nodeb@host", "1.0", ["GPU-1"])
    assert waiting.url == f"http://127.0.0.1:{waiting.port}/"


def test_the_first_cell_says_that_it_waits_then_runs(kernel: Kernel, holder: subprocess.Popen[bytes]) -> None:
    seen: list[str] = []

    def let_go_once_told(cell: Cell) -> None:
        if cell.outputs and not seen:
            seen.extend(cell.outputs)
            holder.kill()

    cell = kernel.run(SEE_DEVICE, let_go_once_told)
    assert seen[0].startswith(WAITING)
    assert cell.outputs == [READY, "runs on GPU-1\n"]
    assert cell.status == "ok"
    assert kernel.run(SEE_DEVICE).outputs == ["runs on GPU-1\n"]


@pytest.mark.parametrize("code", ["ran = True", "import asyncio; await asyncio.sleep(0); ran = True", "%env RAN=1"])
def test_an_interrupt_ends_the_wait_and_nothing_runs(
    kernel: Kernel, holder: subprocess.Popen[bytes], code: str
) -> None:
    interrupted = []

    def interrupt_once(cell: Cell) -> None:
        if cell.outputs and not interrupted:
            interrupted.append(True)
            kernel.post(f"api/kernels/{kernel.id}/interrupt")

    cell = kernel.run(code, interrupt_once)
    assert cell.status == "error"
    assert "nothing of this cell was run" in cell.outputs[-1]
    holder.kill()
    check = kernel.run("import os; print('ran' in globals() or 'RAN' in os.environ)")
    assert check.outputs[-1] == "False\n"


def test_with_the_device_free_nothing_is_said(node: Node, folder: SessionFolder) -> None:
    kernel = Kernel(serve(node, folder), folder.token())
    assert kernel.run(SEE_DEVICE).outputs == ["runs on GPU-1\n"]
    kernel.socket.close()


class Terminal:
    def __init__(self, kernel: Kernel) -> None:
        name = kernel.post("api/terminals")["name"]
        url = f"ws://127.0.0.1:{kernel.server.port}/terminals/websocket/{name}"
        header = [f"Authorization: token {kernel.token}"]
        self.socket = websocket.create_connection(url, header=header, timeout=SECONDS)
        self.screen = ""

    def type(self, text: str) -> None:
        self.socket.send(json.dumps(["stdin", text]))

    def read_until(self, text: str) -> None:
        deadline = time.monotonic() + SECONDS
        while text not in self.screen:
            assert time.monotonic() < deadline, f"no {text!r} on the screen: {self.screen}"
            kind, *content = json.loads(self.socket.recv())
            self.screen += content[0] if kind == "stdout" else ""


@pytest.fixture
def terminal(kernel: Kernel) -> Iterator[Terminal]:
    terminal = Terminal(kernel)
    yield terminal
    terminal.socket.close()


def test_a_terminal_waits_too(terminal: Terminal, holder: subprocess.Popen[bytes]) -> None:
    terminal.read_until(WAITING)
    holder.kill()
    terminal.read_until(READY)
    terminal.type("echo device=$CUDA_VISIBLE_DEVICES.\r")
    terminal.read_until("device=GPU-1.")


def test_a_terminal_can_be_had_without_the_device(terminal: Terminal) -> None:
    terminal.read_until(WAITING)
    terminal.type("\x03")
    terminal.read_until("This shell has no device")
    terminal.type("echo device=$CUDA_VISIBLE_DEVICES.\r")
    terminal.read_until("device=.")


def test_sigterm_ends_it_quickly_even_with_a_busy_kernel(
    kernel: Kernel, node: Node, holder: subprocess.Popen[bytes], folder: SessionFolder
) -> None:
    holder.kill()

    def end_session(cell: Cell) -> None:
        if "busy\n" in cell.outputs:
            node.payloads[1].send_signal(signal.SIGTERM)

    with pytest.raises((websocket.WebSocketException, ConnectionError, json.JSONDecodeError)):
        kernel.run("print('busy', flush=True)\nwhile True: pass", end_session)
    assert node.payloads[1].wait(SECONDS) == 0
    assert not folder.server_file.exists()
