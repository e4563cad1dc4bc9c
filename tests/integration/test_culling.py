"""A real JupyterLab session that is watched and warned: what it reports, what its page and its terminals show.

No HTCondor: the session's server runs as the starter would run it, the test stands for the hub.
"""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import websocket
from browsing import a_browser
from notebook import SECONDS, Kernel

from mlinfn_condor.hub.culling.decision import Evidence, Keep, decide
from mlinfn_condor.hub.culling.rules import Rules
from mlinfn_condor.session import activity, exchange, notices
from mlinfn_condor.session.activity import Activity
from mlinfn_condor.session.folder import Server, SessionFolder, prepare, wait_until_answering
from mlinfn_condor.session.notices import Notice

pytestmark = pytest.mark.skipif(os.geteuid() == 0, reason="Jupyter refuses root; `make test` runs as another user")

REPORT_SECONDS = 0.5


class Session:
    """One JupyterLab with its folder, and what a hub reads and writes there."""

    def __init__(self, home: Path) -> None:
        self.folder: SessionFolder = prepare(home, "one")
        (scratch := home / "scratch").mkdir(mode=0o700)
        (scratch / ".machine.ad").write_text(
            'Name = "slot1_1@nodea@host"\nGPUs_GPU_1 = [ Id = "GPU-1"; DeviceModel = "A100"; Simulated = true ]\n'
        )
        (scratch / ".mlinfn-devices-ready").touch()
        environment = {
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "HOME": str(home),
            "SHELL": "/bin/sh",
            "MLINFN_ACTIVITY_SECONDS": str(REPORT_SECONDS),
            "_CONDOR_AssignedGPUs": "GPU-1",
            "_CONDOR_MACHINE_AD": str(scratch / ".machine.ad"),
            "_CONDOR_SCRATCH_DIR": str(scratch),
        }
        self.log = home / "log"
        command = [sys.executable, "-m", "mlinfn_condor.session.server", "--folder", str(self.folder.path)]
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, cwd=home)

    def server(self) -> Server:
        def still_coming() -> None:
            assert self.process.poll() is None, self.log.read_text()

        return wait_until_answering(self.folder, SECONDS, still_coming)

    def report(self) -> Activity | None:
        return activity.read(exchange.read(self.folder.path, activity.FILE))

    def wait_for_report(self, what: str, wanted: Callable[[Activity], bool]) -> Activity:
        found: list[Activity] = []

        def look() -> bool:
            report = self.report()
            if report is not None and wanted(report):
                found.append(report)
            return bool(found)

        wait_until(look, what)
        return found[0]

    def warn(self, cause: notices.Cause = "idle") -> Notice:
        now = time.time()
        notice = Notice(now, now + 900, "restart-without-device", cause, "Its kernels have been idle since noon.")
        exchange.write(self.folder.path, notices.FILE, notice.as_json())
        return notice

    def notice(self) -> Notice | None:
        return notices.read(exchange.read(self.folder.path, notices.FILE))


def wait_until(condition: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, f"did not happen: {what}"
        time.sleep(0.02)


@pytest.fixture
def session() -> Iterator[Session]:
    # Kernels' sockets: a short path that belongs to us alone.
    with tempfile.TemporaryDirectory(prefix="mlinfn-") as home:
        session = Session(Path(home))
        try:
            session.server()
            yield session
        finally:
            session.process.terminate()
            try:
                session.process.wait(10)
            except subprocess.TimeoutExpired:  # as HTCondor does when the window of a session is over
                session.process.kill()
                session.process.wait(SECONDS)


@pytest.fixture
def kernel(session: Session) -> Iterator[Kernel]:
    kernel = Kernel(session.server(), session.folder.token())
    yield kernel
    kernel.socket.close()


# Much shorter than any site's, so that a test sees idleness.
RULES = Rules(device_idle_minutes=0.001, device_warning_minutes=1)


def kept(session: Session, report: Activity) -> bool:
    return isinstance(decide(Evidence(report, None, True), RULES, time.time()), Keep)


def start(kernel: Kernel, code: str) -> None:
    """Run without waiting for the end, and leave: nobody looks at the notebook any more."""
    content = {"code": code, "silent": False, "store_history": True, "allow_stdin": False, "stop_on_error": True}
    header = {"msg_id": "1", "msg_type": "execute_request", "session": "s", "username": "", "version": "5.3"}
    empty: dict[str, object] = {"parent_header": {}, "metadata": {}, "buffers": []}
    kernel.socket.send(json.dumps({"header": header, "content": content, "channel": "shell"} | empty))
    while (message := json.loads(kernel.socket.recv()))["content"].get("execution_state") != "busy":
        assert message
    kernel.socket.close()


def test_a_silent_loop_is_busy_with_its_browser_closed(session: Session, kernel: Kernel) -> None:
    kernel.run("pass")
    start(kernel, "while True: pass")
    report = session.wait_for_report(
        "a busy kernel nobody looks at, and its CPU",
        lambda told: any(one.state == "busy" and not one.connections for one in told.kernels) and told.cpu.percent > 20,
    )
    assert report.cpu.peaks.last(20) is not None
    assert kept(session, report)


def test_a_kernel_that_sleeps_is_busy_too(session: Session, kernel: Kernel) -> None:
    start(kernel, "import time; time.sleep(3600)")
    session.wait_for_report("a busy kernel", lambda told: any(one.state == "busy" for one in told.kernels))
    report = session.wait_for_report("no CPU", lambda told: bool(told.kernels) and told.cpu.percent == 0)
    assert report.kernels[0].state == "busy"
    assert kept(session, report)


def test_an_idle_kernel_is_idle_though_its_tab_is_open(session: Session, kernel: Kernel) -> None:
    kernel.run("big = bytearray(10**7)")
    report = session.wait_for_report(
        "an idle kernel in an open tab",
        lambda told: (
            [(one.state, one.connections) for one in told.kernels] == [("idle", 1)]
            and told.cpu.percent == 0
            and time.time() - told.kernels[0].last_activity > 1
        ),
    )
    assert report.devices == activity.Devices(("GPU-1",), None, "the device is simulated")
    sparing = RULES.model_copy(update={"cpu_percent": 100.0})
    decision = decide(Evidence(report, None, True), sparing, time.time())
    assert not isinstance(decision, Keep), decision


class Terminal:
    """As the browser has it."""

    def __init__(self, kernel: Kernel) -> None:
        self.name = kernel.post("api/terminals")["name"]
        url = f"ws://127.0.0.1:{kernel.server.port}/terminals/websocket/{self.name}"
        header = [f"Authorization: token {kernel.token}"]
        self.socket = websocket.create_connection(url, header=header, timeout=SECONDS)
        self.screen = ""

    def type(self, text: str) -> None:
        self.socket.send(json.dumps(["stdin", text]))

    def read_until(self, text: str) -> None:
        while text not in self.screen:
            kind, *content = json.loads(self.socket.recv())
            self.screen += content[0] if kind == "stdout" else ""


@pytest.fixture
def terminal(kernel: Kernel) -> Iterator[Terminal]:
    terminal = Terminal(kernel)
    yield terminal
    terminal.socket.close()


def test_a_terminal_shows_the_warning_and_that_it_was_taken_back(session: Session, terminal: Terminal) -> None:
    terminal.type("echo pr''ompt\r")
    terminal.read_until("prompt")
    session.warn()
    terminal.read_until("Its kernels have been idle since noon. Press a key here to keep it.")
    assert "this session gives back its device" in terminal.screen
    exchange.remove(session.folder.path, notices.FILE)
    terminal.read_until("The warning is taken back")
    # It was shown, not typed: the shell has not read a word of it.
    terminal.type("echo nothing=$?\r")
    terminal.read_until("nothing=0")


def test_a_terminal_counts_what_is_typed_not_what_it_prints(session: Session, terminal: Terminal) -> None:
    clock = "while :; do echo tick; sleep 0.1; done\r"
    terminal.type(clock)
    terminal.read_until("tick\r\ntick\r\n")
    begun = session.wait_for_report("the terminal", lambda told: bool(told.terminals)).terminals[0].last_input
    # Linux tells the time of input to 8 s; after as many, output alone has not moved it.
    later = session.wait_for_report("ten seconds of ticks", lambda told: told.written > begun + 18)
    assert later.terminals[0].last_input <= begun + 8
    terminal.type("\x03")
    terminal.type("echo ty''ped\r")
    terminal.read_until("typed")
    session.wait_for_report("what was typed", lambda told: told.terminals[0].last_input > begun + 8)


def test_what_runs_in_a_terminal_is_named(session: Session, terminal: Terminal) -> None:
    terminal.type("sleep 600\r")
    session.wait_for_report("the program", lambda told: [one.program for one in told.terminals] == ["sleep"])
    terminal.type("\x03")
    session.wait_for_report("the shell", lambda told: [one.program for one in told.terminals] == [None])


def test_who_asks_to_keep_it_takes_the_warning_back(session: Session, kernel: Kernel) -> None:
    notice = session.warn()
    assert kernel.post("mlinfn/keep", {}) == {"notice": None}
    assert session.notice() is None
    session.wait_for_report("the person", lambda told: told.person > notice.given)


def test_nothing_keeps_what_is_too_old(session: Session, kernel: Kernel) -> None:
    notice = session.warn(cause="age")
    shown = kernel.post("mlinfn/keep", {})["notice"]
    assert (shown["id"], shown["can_be_kept"]) == (notice.given, False)
    assert "Save what you need." in shown["text"]
    assert session.notice() == notice


def test_nobody_else_may_ask(session: Session) -> None:
    for method, page in (("GET", "notice"), ("POST", "keep"), ("POST", "presence")):
        command = ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-X", method]
        answer = subprocess.run([*command, f"{session.server().url}mlinfn/{page}"], capture_output=True, check=True)
        assert answer.stdout in {b"401", b"403"}, (page, answer.stdout)


# The page, in a real browser


@pytest.fixture
def page(session: Session) -> Iterator[Any]:
    with a_browser() as browser:
        page = browser.new_page()
        page.set_default_timeout(SECONDS * 1000)
        page.goto(f"{session.server().url}lab?token={session.folder.token()}")
        page.wait_for_selector("#jp-MainMenu")
        yield page


def test_the_page_shows_the_warning_and_can_keep_the_session(session: Session, page: Any) -> None:
    session.warn()
    warning = page.get_by_text("Its kernels have been idle since noon.").first
    warning.wait_for()
    assert "this session gives back its device" in warning.inner_text()
    pressed = time.time()
    page.get_by_role("button", name="Keep it").first.click()
    wait_until(lambda: session.notice() is None, "the notice is gone")
    session.wait_for_report("the person", lambda told: told.person >= pressed)
    page.wait_for_function("!document.body.innerText.includes('idle since noon')")


def test_the_page_tells_that_a_person_is_there(session: Session, page: Any) -> None:
    opened = time.time()
    assert session.wait_for_report("a page without a person", lambda told: told.written > opened).person < opened
    page.keyboard.press("Escape")
    session.wait_for_report("the person", lambda told: told.person > opened)
