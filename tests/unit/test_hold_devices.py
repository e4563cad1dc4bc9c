"""glidein/libexec/hold-devices, with real processes and the kernel's real locks."""

import fcntl
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mlinfn_condor.shipped import shipped

WRAPPER = shipped("glidein") / "libexec" / "hold-devices"
SLEEPER = [sys.executable, "-c", "import signal; print('running', flush=True); signal.pause()"]


def wait_for(happened: Callable[[], object], what: str, seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds} s: {what}"
        time.sleep(0.02)


class Node:
    """A node as the wrapper sees it: a folder of locks, and per job an ad and a scratch folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.locks, self.started = folder, folder / "locks", []
        self.count = 0

    def start(
        self,
        priority_class: str,
        gpus: str = "",
        fpgas: str = "",
        command: list[str] = SLEEPER,
        window: str = "30",
        **environment: str,
    ) -> subprocess.Popen[str]:
        self.count += 1
        scratch = self.folder / f"scratch{self.count}"
        scratch.mkdir()
        ad = scratch / ".job.ad"
        ad.write_text(
            f'ClusterId = {self.count}\nprocid = 7\nPriorityClass = "{priority_class}"\nJobMaxVacateTime = {window}\n'
        )
        surroundings = {
            "PATH": os.environ["PATH"],
            "MLINFN_DEVICE_LOCKS": str(self.locks),
            "_CONDOR_JOB_AD": str(ad),
            "_CONDOR_SCRATCH_DIR": str(scratch),
            "_CONDOR_WRAPPER_ERROR_FILE": str(scratch / ".job_wrapper_failure"),
            "_CONDOR_AssignedGPUs": gpus,
            "_CONDOR_AssignedFPGAs": fpgas,
        } | environment
        job = subprocess.Popen(
            [WRAPPER, *command], env=surroundings, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        job.scratch = scratch  # type: ignore[attr-defined]
        self.started.append(job)
        return job

    def running(self, *arguments: str, **keywords: str) -> subprocess.Popen[str]:
        """A job whose payload computes."""
        job = self.start(*arguments, **keywords)
        assert job.stdout.readline() == "running\n"
        return job

    def is_locked(self, device: str) -> bool:
        with (self.locks / device).open() as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def holder(self, device: str) -> dict[str, object]:
        return json.loads((self.locks / device).read_text())


def is_ready(session: subprocess.Popen[str]) -> bool:
    return (session.scratch / ".mlinfn-devices-ready").exists()


def descendants_named(node: Node, word: str) -> list[str]:
    """Command lines of processes that have this node's lock folder in their environment."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(node.locks).encode() in (process / "environ").read_bytes():
                command = (process / "cmdline").read_bytes().replace(b"\0", b" ").decode()
                if word in command:
                    found.append(command)
        except OSError:
            continue
    return found


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path)
    yield node
    for job in node.started:
        if job.poll() is None:
            job.kill()
    for job in node.started:
        job.communicate()


def test_the_payload_gets_our_pid_and_its_words_untouched(node: Node) -> None:
    script = "import os, sys; print(os.getpid(), sys.argv[1:])"
    job = node.start("batch", "GPU-1", command=[sys.executable, "-c", script, "two words", "*", "$HOME", ""])
    assert job.communicate()[0] == f"{job.pid} ['two words', '*', '$HOME', '']\n"


def test_the_payloads_environment_is_for_the_payload(node: Node, tmp_path: Path) -> None:
    spoiler = tmp_path / "spoiler"
    spoiler.write_text("flock() { exit 3; }\n")
    script = "import os; print(os.environ['PATH'], os.environ['BASH_ENV'])"
    job = node.start(
        "batch",
        "GPU-1,GPU-2",
        command=[sys.executable, "-c", script],
        PATH="/nowhere",
        BASH_ENV=str(spoiler),
        **{"BASH_FUNC_flock%%": "() { exit 4; }"},
    )
    assert job.communicate() == (f"/nowhere {spoiler}\n", "")


@pytest.mark.parametrize("devices", ["", "GPU-1"])
def test_the_exit_code_is_the_payloads(node: Node, devices: str) -> None:
    assert node.start("dask", devices, command=["/bin/sh", "-c", "exit 42"]).wait() == 42


def test_the_payload_gets_the_signal(node: Node) -> None:
    job = node.running("batch", "GPU-1")
    job.terminate()
    assert job.wait() == -signal.SIGTERM


def test_a_running_job_holds_the_lock_and_says_who_it_is(node: Node) -> None:
    node.running("batch", "GPU-1", window="45")
    assert node.is_locked("GPU-1")
    told = node.holder("GPU-1")
    assert abs(told.pop("since") - time.time()) < 60
    assert told == {"job": "1.7", "class": "batch", "window_seconds": 45}


def test_the_lock_outlives_the_main_process_if_a_child_still_runs(node: Node) -> None:
    job = node.start("batch", "GPU-1", command=["/bin/sh", "-c", "sleep 60 </dev/null >/dev/null 2>&1 & echo $!"])
    child = int(job.stdout.readline())
    assert job.wait() == 0
    assert node.is_locked("GPU-1")
    os.kill(child, signal.SIGKILL)
    wait_for(lambda: not node.is_locked("GPU-1"), "lock free after the last process")


def test_locks_can_be_taken_by_other_users_but_not_removed(node: Node) -> None:
    node.running("batch", "GPU-1")
    assert node.locks.stat().st_mode & 0o7777 == 0o1777
    assert (node.locks / "GPU-1").stat().st_mode & 0o777 == 0o666


def test_jobs_with_other_devices_do_not_meet(node: Node) -> None:
    node.running("batch", "GPU-1")
    node.running("batch", "GPU-2", fpgas="FPGA-1")
    assert node.is_locked("FPGA-1")


@pytest.mark.parametrize("priority_class", ["batch", "dask"])
def test_a_second_job_starts_when_the_first_is_killed(node: Node, priority_class: str) -> None:
    first = node.running("batch", "GPU-1")
    second = node.start(priority_class, "GPU-1")
    assert "waiting for GPU-1" in second.stderr.readline()
    first.kill()
    assert second.stdout.readline() == "running\n"
    assert node.holder("GPU-1")["job"] == "2.7"


def test_a_waiting_job_obeys_sigterm_and_leaves_nothing_behind(node: Node) -> None:
    node.running("batch", "GPU-1")
    second = node.start("batch", "GPU-1")
    second.stderr.readline()
    wait_for(lambda: descendants_named(node, "flock"), "the second job waits")
    second.terminate()
    assert second.wait(timeout=60) == -signal.SIGTERM
    wait_for(lambda: not descendants_named(node, "flock"), "nobody waits any more")


def test_a_job_that_waits_too_long_can_be_tried_again(node: Node) -> None:
    node.running("batch", "GPU-1")
    second = node.start("batch", "GPU-1", MLINFN_DEVICE_WAIT_SECONDS="0")
    assert second.wait() == 85
    assert "did not become free" in (second.scratch / ".job_wrapper_failure").read_text()


def test_two_devices_are_taken_in_one_order_whatever_the_job_names_first(node: Node) -> None:
    # Holding the first in the alphabet must keep both jobs from taking the other one.
    first = node.running("batch", "GPU-a")
    waiting = [node.start("batch", "GPU-b,GPU-a"), node.start("batch", "GPU-a, GPU-b")]
    for job in waiting:
        job.stderr.readline()
    wait_for(lambda: len(descendants_named(node, "flock")) == 2, "both wait")
    assert not node.is_locked("GPU-b")
    first.kill()
    wait_for(lambda: node.is_locked("GPU-b"), "one of them has both")


def test_the_same_device_twice_is_one_lock(node: Node) -> None:
    node.running("batch", "GPU-1,GPU-1")


@pytest.mark.parametrize("device", ["../../etc/passwd", "a/b", "..", ".hidden", "$(id)", "*", "GPU;1", "-x", "GPU\\1"])
def test_a_hostile_device_id_is_refused(node: Node, device: str) -> None:
    job = node.start("batch", device)
    assert "cannot be the id of a device" in job.communicate()[1]
    assert job.returncode == 78
    assert not node.locks.exists()


def test_a_node_without_lock_folder_setting_says_so(node: Node) -> None:
    job = node.start("batch", "GPU-1", MLINFN_DEVICE_LOCKS="")
    assert "MLINFN_DEVICE_LOCKS is not set" in job.communicate()[1]
    assert job.returncode == 78
    assert (job.scratch / ".job_wrapper_failure").exists()


@pytest.mark.parametrize("gpus", ["", "10000"])
@pytest.mark.parametrize("priority_class", ["batch", "dask", "interactive"])
def test_a_job_without_device_needs_no_lock_folder(node: Node, priority_class: str, gpus: str) -> None:
    job = node.running(priority_class, gpus, MLINFN_DEVICE_LOCKS="")
    assert is_ready(job) == (priority_class == "interactive")
    assert not node.locks.exists()


def test_a_session_whose_device_is_free_is_ready_before_it_starts(node: Node) -> None:
    script = "import os; print(os.path.exists(os.environ['_CONDOR_SCRATCH_DIR'] + '/.mlinfn-devices-ready'))"
    assert node.start("interactive", "GPU-1", command=[sys.executable, "-c", script]).communicate()[0] == "True\n"


def test_a_session_starts_at_once_and_is_ready_when_the_holder_is_gone(node: Node) -> None:
    batch = node.running("batch", "GPU-1")
    session = node.running("interactive", "GPU-1")
    assert not is_ready(session)
    assert node.holder("GPU-1")["class"] == "batch"
    batch.kill()
    wait_for(lambda: is_ready(session), "the session has its device")
    assert node.is_locked("GPU-1")
    assert node.holder("GPU-1")["class"] == "interactive"


def test_a_session_of_two_devices_is_ready_when_it_has_both(node: Node) -> None:
    first, second = node.running("batch", "GPU-1"), node.running("batch", "FPGA-1")
    session = node.running("interactive", "GPU-1", "FPGA-1")
    first.kill()
    first.wait()
    assert not is_ready(session)
    second.kill()
    wait_for(lambda: is_ready(session), "the session has both")
    assert node.is_locked("GPU-1")
    assert node.is_locked("FPGA-1")


def test_the_lock_of_a_session_is_free_as_soon_as_the_session_is_killed(node: Node) -> None:
    batch = node.running("batch", "GPU-1")
    session = node.running("interactive", "GPU-1")
    batch.kill()
    wait_for(lambda: is_ready(session), "the session has its device")
    session.kill()
    session.wait()
    wait_for(lambda: not node.is_locked("GPU-1"), "lock free")


def test_who_waits_beside_a_session_dies_with_it(node: Node) -> None:
    node.running("batch", "GPU-1")
    session = node.running("interactive", "GPU-1")
    wait_for(lambda: descendants_named(node, "flock"), "somebody waits for the session")
    session.kill()
    session.wait()
    wait_for(lambda: not descendants_named(node, "hold-devices"), "nobody waits")
    assert not is_ready(session)


def test_a_session_finds_no_child_that_it_did_not_start(node: Node) -> None:
    node.running("batch", "GPU-1")
    script = "import os\ntry: os.waitpid(-1, os.WNOHANG); print('a child')\nexcept ChildProcessError: print('none')"
    assert node.start("interactive", "GPU-1", command=[sys.executable, "-c", script]).stdout.readline() == "none\n"


def test_opportunistic_work_dies_first_when_memory_runs_short(node: Node) -> None:
    script = "print(open('/proc/self/oom_score_adj').read())"
    scores = [
        int(node.start(name, command=[sys.executable, "-c", script]).communicate()[0])
        for name in ("interactive", "dask", "batch")
    ]
    assert scores == sorted(scores)
    assert len(set(scores)) == 3


def test_a_job_of_unknown_class_counts_as_batch(node: Node) -> None:
    node.running("king", "GPU-1", window="MachineMaxVacateTime")
    assert node.holder("GPU-1") | {"since": 0} == {"job": "1.7", "class": "batch", "window_seconds": 30, "since": 0}


@pytest.mark.parametrize(("asked", "kept"), [("/node/bin", None), ("/my/bin", "/my/bin")])
def test_an_image_keeps_its_own_path_unless_the_job_asks_for_another(node: Node, asked: str, kept: str | None) -> None:
    in_image = {"APPTAINERENV__CONDOR_SCRATCH_DIR": "/srv", "APPTAINERENV_PATH": asked, "MLINFN_JOB_PATH": "/node/bin"}
    found = environment(node.start("batch", command=["env"], **in_image))
    assert found.get("APPTAINERENV_PATH") == kept


@pytest.mark.parametrize(("scratch", "mounted"), [("scratch1", True), ("elsewhere", False)])
def test_an_image_has_the_scratch_folder_where_htcondor_has_not_mounted_it_elsewhere(
    node: Node, scratch: str, mounted: bool
) -> None:
    named = str(node.folder / scratch)
    found = environment(node.start("batch", command=["env"], APPTAINERENV__CONDOR_SCRATCH_DIR=named))
    assert found.get("APPTAINER_BINDPATH") == (named if mounted else None)


def test_nothing_is_mounted_for_a_job_without_an_image(node: Node) -> None:
    assert "APPTAINER_BINDPATH" not in environment(node.start("batch", command=["env"]))


def environment(job: subprocess.Popen[str]) -> dict[str, str]:
    return dict(line.partition("=")[::2] for line in job.communicate()[0].splitlines())
