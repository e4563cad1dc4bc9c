"""Services end, come back ever more slowly, take nobody with them, and end together; a killed runner is told of."""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from postgres import wait_until

from mlinfn_condor.errors import UserError
from mlinfn_condor.services import restarting, state
from mlinfn_condor.services.known import SERVICES, Service, chosen
from mlinfn_condor.services.metrics import ServicesCollector
from mlinfn_condor.services.runner import Runner

SECONDS = 60
STAYS = (
    "import signal, sys; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
    "print('up', file=sys.stderr); signal.pause()"
)
FAILS = "import sys; sys.exit('no database')"
ENDURES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); print('up', flush=True); signal.pause()"


def python(service: Service) -> Sequence[str]:
    return [sys.executable, "-S", "-c", *service.words]


def test_who_fails_again_and_again_waits_longer_and_who_was_sound_begins_anew() -> None:
    assert [restarting.pause_seconds(n) for n in (1, 2, 3, 9, 1000)] == [1, 2, 4, 256, 300]
    assert restarting.failures(7, ran_seconds=3) == 8
    assert restarting.failures(7, ran_seconds=3600) == 1


def test_a_service_that_does_not_exist_is_named_with_those_that_do() -> None:
    assert chosen([]) == SERVICES
    with pytest.raises(
        UserError, match=r"no service recoder: one of recorder, provisioner, schedules, retention, backup"
    ):
        chosen(["recoder"])


@pytest.fixture
def running(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A runner in a thread; the handlers of signals are the main thread's and stay as they are."""
    monkeypatch.setattr(signal, "signal", lambda *_: None)
    started = []

    def run(said: list[str], *services: Service, end_seconds: float = 5) -> tuple[Runner, Path, Callable[[], None]]:
        file = tmp_path / "state.json"
        runner = Runner(services, file, python, said.append, end_seconds)
        thread = threading.Thread(target=runner.run)
        thread.start()

        def stop() -> None:
            runner.stop()
            thread.join(SECONDS)

        started.append(stop)
        return runner, file, stop

    yield run
    for stop in started:
        stop()


def of(file: Path, name: str) -> tuple[state.ServiceState, str]:
    return next(pair for pair in state.seen(state.read(file)) if pair[0].name == name)


def test_one_that_fails_stops_no_other_and_is_started_again(running) -> None:
    said: list[str] = []
    _, file, _ = running(said, Service("sound", (STAYS,)), Service("broken", (FAILS,)))
    wait_until(lambda: file.exists() and of(file, "broken")[0].starts >= 2, SECONDS, "a second start")
    broken, _ = of(file, "broken")
    assert broken.last_end == "exit code 1: no database"
    assert "broken: no database" in said
    sound, true = of(file, "sound")
    assert (sound.starts, true) == (1, "running")
    figures = {s.labels["service"]: s.value for s in next(iter(ServicesCollector(file).collect())).samples}
    assert figures["sound"] == 1


def test_a_killed_service_is_started_again(running) -> None:
    _, file, _ = running([], Service("sound", (STAYS,)))
    wait_until(lambda: file.exists() and of(file, "sound")[0].pid, SECONDS, "its start")
    os.kill(of(file, "sound")[0].pid, signal.SIGKILL)
    wait_until(lambda: of(file, "sound")[0].starts == 2, SECONDS, "its second start")
    assert of(file, "sound")[0].last_end.startswith("signal 9")


def test_all_end_in_order_and_one_that_does_not_hear_is_killed(running) -> None:
    class Said(list[str]):
        def append(self, text: str) -> None:
            super().append(text)
            if text.endswith("killed"):
                runner._end_seconds = SECONDS  # the others need not hurry

    said = Said()
    runner, file, stop = running(said, Service("first", (STAYS,)), Service("deaf", (ENDURES,)), end_seconds=0.5)
    wait_until(lambda: "first: up" in said, SECONDS, "first to be up")
    wait_until(lambda: runner.children[1].state.pid, SECONDS, "the deaf one to be up")
    ignores = f"/proc/{runner.children[1].state.pid}/status"
    wait_until(lambda: int(Path(ignores).read_text().split("SigIgn:")[1].split()[0], 16) & 1 << 14, SECONDS, "deafness")
    stop()
    assert "runner: deaf did not end within 0 s: killed" in said
    ended = {one.name: (one.state, one.last_end, one.since) for one in state.read(file).services}
    assert ended["first"][:2] == ("stopped", "exit code 0")
    assert ended["deaf"][:2] == ("stopped", "signal 9")
    assert ended["deaf"][2] <= ended["first"][2], "the other way round"


def test_the_state_outlives_a_killed_runner_and_its_services_end_with_it(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    hosted = "from mlinfn_condor.stopping import end_with; import sys, signal"
    stays = f"{hosted}; end_with(int(sys.argv[1]), 'runner'); signal.pause()"
    script = (
        "import os, sys; from pathlib import Path; from mlinfn_condor.services.runner import Runner;"
        "from mlinfn_condor.services.known import Service;"
        f"Runner([Service('one', ())], Path({str(file)!r}),"
        f" lambda s: [sys.executable, '-c', {stays!r}, str(os.getpid())]).run()"
    )
    with subprocess.Popen([sys.executable, "-c", script]) as runner:
        wait_until(lambda: file.exists() and of(file, "one")[1] == "running", SECONDS, "the service")
        pid, born = of(file, "one")[0].pid, of(file, "one")[0].born
        wait_until(lambda: b"-c\0" in Path(f"/proc/{pid}/cmdline").read_bytes(), SECONDS, "its program")
        runner.kill()
    assert not state.read(file).alive
    wait_until(lambda: not state.alive(pid, born), SECONDS, "the end of its service")
    assert of(file, "one")[1] == "ended"
    assert json.loads(file.read_text())["services"][0]["state"] == "running", "what the file says alone is not enough"
