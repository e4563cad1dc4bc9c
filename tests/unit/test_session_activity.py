"""What a session tells of its work, and what hub and session make of a folder in which anything may lie."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from mlinfn_condor.session import activity, exchange, notices
from mlinfn_condor.session.activity import Activity, Devices, Kernel, Peaks, Signal, Terminal
from mlinfn_condor.session.cpu_activity import CgroupMeter, Meter, ProcessMeter, Usage, meter
from mlinfn_condor.session.device_activity import Sample
from mlinfn_condor.session.notices import Notice
from mlinfn_condor.session.reporting import GAP_INTERVALS, Reporter

SECONDS = 60.0

anything = some.recursive(
    some.none() | some.booleans() | some.integers() | some.floats() | some.text(),
    lambda inner: some.lists(inner) | some.dictionaries(some.text(), inner),
    max_leaves=10,
)


# Peaks


@given(some.lists(some.floats(0, 250)), some.floats(0.01, 100))
def test_peaks_answer_as_the_whole_history_would(samples: list[float], threshold: float) -> None:
    peaks = Peaks()
    for second, percent in enumerate(samples):
        peaks = peaks.after(float(second), percent)
    reached = [float(second) for second, percent in enumerate(samples) if -(-percent // 1) >= threshold]
    assert peaks.last(threshold) == (reached[-1] if reached else None)
    assert len(peaks.samples) <= 100


# The reporter


def usage(seconds: float) -> Usage:
    return Usage(seconds, frozenset())


def test_work_between_two_looks_is_told_in_percent_of_a_core() -> None:
    reporter = Reporter(started=0, device_ids=[], interval_seconds=30)
    reporter.add(0, usage(100), None)
    reporter.add(30, usage(115), None)
    reporter.add(60, usage(115), None)
    cpu = reporter.report(60, [], []).cpu
    assert (cpu.percent, cpu.watched_since) == (0, 0)
    assert cpu.peaks.last(50) == 30


@pytest.mark.parametrize("later", [30 * GAP_INTERVALS + 1, -1])
def test_a_gap_or_a_clock_set_back_begins_the_watch_anew(later: float) -> None:
    reporter = Reporter(started=0, device_ids=["GPU-1"], interval_seconds=30)
    reporter.add(0, usage(0), Sample(50))
    reporter.add(30, usage(30), Sample(50))
    reporter.add(30 + later, usage(30), Sample(0))
    report = reporter.report(200, [], [])
    assert report.cpu.watched_since == 30 + later
    assert report.devices.signal == Signal(30 + later, Peaks(), 0)


def test_a_device_that_nobody_could_look_at_is_watched_anew() -> None:
    reporter = Reporter(started=0, device_ids=["GPU-1"], interval_seconds=30)
    reporter.add(0, usage(0), Sample(50))
    reporter.add(30, usage(0), Sample(None, "NVML: GPU is lost"))
    assert reporter.report(30, [], []).devices == Devices(("GPU-1",), None, "NVML: GPU is lost")
    reporter.add(60, usage(0), Sample(0, None, 512))
    assert reporter.report(60, [], []).devices == Devices(("GPU-1",), Signal(60), None, 512)
    assert reporter.report(60, [], []).cpu.watched_since == 0


def test_a_report_out_of_turn_takes_no_sample() -> None:
    """A hundredth of a second and one tick of the clock would look like full work."""
    reporter = Reporter(started=0, device_ids=[], interval_seconds=30)
    assert reporter.due(0)
    reporter.add(0, usage(0), None)
    assert not reporter.due(14)
    assert reporter.due(15)
    assert reporter.due(-1)


def test_a_person_is_remembered_from_the_start_on() -> None:
    reporter = Reporter(started=100, device_ids=[], interval_seconds=30)
    assert reporter.report(100, [], []).person == 100
    reporter.person_acts(130)
    reporter.person_acts(120)
    assert reporter.report(140, [], []).person == 130


# The report in the folder

REPORT = Activity(
    written=1000.5,
    started=10.0,
    cpu=Signal(20.0, Peaks(((900.0, 80), (950.0, 3))), 1),
    person=10.0,
    kernels=(Kernel("abc", "busy", 900.0, 2),),
    terminals=(Terminal("1", 800.0, "python", 1), Terminal("2", 700.0)),
    devices=Devices(("GPU-1",), Signal(20.0), None, 512),
)


def test_a_report_comes_back_as_it_was_written(folder: Path) -> None:
    exchange.write(folder, activity.FILE, REPORT.as_json())
    assert activity.read(exchange.read(folder, activity.FILE)) == REPORT
    assert REPORT.connections == 3


@given(anything | some.fixed_dictionaries(dict.fromkeys(REPORT.as_json(), anything)))
def test_whatever_else_stands_there_is_no_report(content: object) -> None:
    read = activity.read(content)  # type: ignore[arg-type]
    assert read is None or isinstance(read, Activity)


@pytest.mark.parametrize("name", REPORT.as_json())
def test_a_report_that_lacks_something_is_none(name: str) -> None:
    content = REPORT.as_json()
    del content[name]
    assert activity.read(content) is None


@pytest.mark.parametrize("time", [float("nan"), float("inf"), "1000", True, None, 10**400])
def test_a_report_with_a_time_that_is_none_is_none(time: object) -> None:
    assert activity.read(REPORT.as_json() | {"person": time}) is None


@given(anything | some.fixed_dictionaries(dict.fromkeys(("given", "deadline", "deed", "cause", "why"), anything)))
def test_whatever_stands_there_is_a_notice_that_can_be_shown_or_none(content: object) -> None:
    read = notices.read(content)  # type: ignore[arg-type]
    if read is not None:
        assert notices.text(read)
        assert notices.for_terminal(read)


def test_a_notice_comes_back_as_it_was_written() -> None:
    notice = Notice(100.0, 200.0, "restart-without-device", "idle", "It has been idle since 10:00.")
    assert notices.read(json.loads(json.dumps(notice.as_json()))) == notice
    assert notices.read(notice.as_json() | {"deed": "delete"}) is None
    assert notices.read(notice.as_json() | {"deadline": 1e300}) is None


def test_a_notice_cannot_steer_the_terminal() -> None:
    words = notices.for_terminal(Notice(100.0, 200.0, "stop", "idle", "\x1b]0;title\x07\nline"))
    assert "\x1b]" not in words
    assert words.count("\n") == 2


# Whatever lies in the folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (folder := tmp_path / "session").mkdir(mode=0o700)
    return folder


def test_what_is_written_is_there_whole_and_for_nobody_else(folder: Path) -> None:
    exchange.write(folder, "one.json", {"a": 1})
    exchange.write(folder, "one.json", {"a": 2})
    assert exchange.read(folder, "one.json") == {"a": 2}
    assert [file.name for file in folder.iterdir()] == ["one.json"]
    assert (folder / "one.json").stat().st_mode & 0o777 == 0o600
    exchange.remove(folder, "one.json")
    exchange.remove(folder, "one.json")
    assert exchange.read(folder, "one.json") is None


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _link(file: Path) -> None:
    (file.parent.parent / "secret").write_text('{"a": 1}')
    file.symlink_to(file.parent.parent / "secret")


HOSTILE: dict[str, Callable[[Path], object]] = {
    "a pipe": _pipe,
    "a link": _link,
    "a folder": lambda file: file.mkdir(),
    "a gigabyte": lambda file: (file.touch(), os.truncate(file, 2**30)),
    "half a report": lambda file: file.write_text('{"written": 1'),
    "a list": lambda file: file.write_text("[1]"),
    "no text": lambda file: file.write_bytes(b"\xff\xfe\x00"),
    "deep": lambda file: file.write_text("[" * 100_000),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_what_no_session_writes_is_read_as_nothing_and_at_once(what: str, folder: Path) -> None:
    HOSTILE[what](folder / activity.FILE)
    assert exchange.read(folder, activity.FILE) is None


def test_a_link_is_replaced_never_followed(folder: Path) -> None:
    _link(folder / "one.json")
    exchange.write(folder, "one.json", {"b": 2})
    assert (folder.parent / "secret").read_text() == '{"a": 1}'
    assert exchange.read(folder, "one.json") == {"b": 2}


def test_nothing_is_written_where_no_session_is(folder: Path) -> None:
    (link := folder.parent / "link").symlink_to(folder)
    (shared := folder.parent / "shared").mkdir(mode=0o755)
    shared.chmod(0o755)
    for place in (link, shared, folder / "gone"):
        with pytest.raises(OSError, match=place.name):
            exchange.write(place, "one.json", {})
        assert exchange.read(place, "one.json") is None


# CPU

SPIN = "import time\nend = time.process_time() + 0.3\nwhile time.process_time() < end: pass\n"
THEN_WAIT = "print('spun', flush=True)\ninput()\n"


class Session:
    """Processes as a session has them: this test stands for its Jupyter server's pid."""

    def __init__(self, scratch: str) -> None:
        self.environment = {**os.environ, "_CONDOR_SCRATCH_DIR": scratch}
        self.server = subprocess.Popen(["sleep", "600"], env=self.environment)
        self.others: list[subprocess.Popen[str]] = []

    def run(self, code: str, *prefix: str, env: dict[str, str] | None = None) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [*prefix, sys.executable, "-c", code],
            env=env or self.environment,
            text=True,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.others.append(process)
        return process

    def end(self) -> None:
        for process in (self.server, *self.others):
            process.kill()
            process.communicate(timeout=SECONDS)


@pytest.fixture
def session(tmp_path: Path) -> Iterator[Session]:
    session = Session(str(tmp_path / "scratch"))
    yield session
    session.end()


def line_of(process: subprocess.Popen[str]) -> str:
    assert process.stdout
    return process.stdout.readline().strip()


def measure(session: Session) -> Meter:
    return meter(session.environment, session.server.pid)


def test_programs_of_the_session_count_wherever_they_went(session: Session) -> None:
    """This one left the server's family, as with nohup and setsid; only its environment tells."""
    measured = measure(session)
    before = measured.look()
    program = session.run(SPIN + THEN_WAIT, "setsid", "--wait")
    assert line_of(program) == "spun"
    after = measured.look()
    assert 0.25 < after.cpu_seconds - before.cpu_seconds < 2
    assert program.pid in after.pids


def test_programs_of_others_do_not_count(session: Session) -> None:
    measured = measure(session)
    before = measured.look()
    stranger = session.run(SPIN + THEN_WAIT, env={**os.environ, "_CONDOR_SCRATCH_DIR": "/another/scratch"})
    assert line_of(stranger) == "spun"
    after = measured.look()
    assert stranger.pid not in after.pids
    assert after.cpu_seconds - before.cpu_seconds < 0.1


def test_a_program_that_ended_between_two_looks_counts_once(session: Session) -> None:
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {SPIN!r}])\n"
    measured = measure(session)
    before = measured.look()
    parent = session.run(code + THEN_WAIT)
    assert line_of(parent) == "spun"
    after = measured.look()
    assert 0.25 < after.cpu_seconds - before.cpu_seconds < 2


def test_the_end_of_a_program_is_no_work(session: Session) -> None:
    """Its whole life appears in its parent's account then; ten hours of it must not look like work of now."""
    child = f"{SPIN}print('spun', flush=True)\nimport sys\nsys.stdin.readline()\n"
    code = f"import subprocess, sys\nsubprocess.run([sys.executable, '-c', {child!r}])\nprint('ended', flush=True)\n"
    parent = session.run(code + "input()\n")
    assert line_of(parent) == "spun"
    measured = measure(session)
    before = measured.look()
    assert parent.stdin
    parent.stdin.write("\n")
    parent.stdin.flush()
    assert line_of(parent) == "ended"
    assert measured.look().cpu_seconds - before.cpu_seconds < 0.2


def test_the_jupyter_server_itself_does_not_count(tmp_path: Path) -> None:
    """Open tabs keep it moving."""
    session = Session(str(tmp_path / "scratch"))
    server = session.run("input()\n" + SPIN + THEN_WAIT)
    measured = meter(session.environment, server.pid)
    before = measured.look()
    assert server.stdin
    server.stdin.write("\n")
    server.stdin.flush()
    assert line_of(server) == "spun"
    assert measured.look().cpu_seconds - before.cpu_seconds < 0.05
    session.end()


def _fake_proc(folder: Path, cgroup: str) -> Path:
    (own := folder / "4711").mkdir(parents=True)
    (own / "cgroup").write_text(cgroup)
    fields = ["S", "1", *["0"] * 9, "100", "50", "0", "0", *["0"] * 4, "777", "0"]
    (own / "stat").write_text(f"4711 (a) b) {' '.join(fields)}\n")
    return folder


@pytest.mark.parametrize(
    "cgroup", ["0::/", "0::/user.slice/user-1000.slice/session-2.scope", "5:cpu:/condor_execute_slot1_1@node", ""]
)
def test_a_cgroup_that_is_not_the_jobs_own_is_not_asked(cgroup: str, tmp_path: Path) -> None:
    assert isinstance(meter({}, 4711, _fake_proc(tmp_path, cgroup)), ProcessMeter)


def test_the_jobs_cgroup_counts_all_but_the_server(tmp_path: Path) -> None:
    (group := tmp_path / "group").mkdir()
    (group / "cpu.stat").write_text("usage_usec 4500000\nuser_usec 1\nsystem_usec 2\n")
    (group / "cgroup.procs").write_text("4711\n4712\n")
    own_seconds = 150 / os.sysconf("SC_CLK_TCK")
    used = CgroupMeter(group, 4711, _fake_proc(tmp_path / "proc", "")).look()
    assert used == Usage(4.5 - own_seconds, frozenset({4711, 4712}))


def test_a_look_costs_next_to_nothing(session: Session) -> None:
    """Every 30 s; half a percent of a core would be 150 ms."""
    measured = measure(session)
    measured.look()
    begun = time.thread_time()
    measured.look()
    assert time.thread_time() - begun < 0.15
