"""What the session's devices do, by the real pynvml over a library that stands in for NVIDIA's, written in C."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlinfn_condor.session.device_activity import Sample, Unwatched, watch
from mlinfn_condor.session.job import Device

UUID = "GPU-8e3f1c2a-0000-4b1c-9c0d-112233445566"
SECOND = "GPU-77aa1c2a-0000-4b1c-9c0d-112233445566"
SHORT = "GPU-8e3f1c2a"
"""As HTCondor assigns it."""
GIB = 1024**3
NOT_SUPPORTED, GPU_IS_LOST = 3, 15

LOOKER = """
import json, sys
from dataclasses import asdict
import pynvml
from mlinfn_condor.session.device_activity import NvmlWatch
told = json.loads(sys.argv[1])
watch = NvmlWatch(pynvml, told["ids"], told["own_pids"])
for line in sys.stdin:
    print(json.dumps(asdict(watch.look(json.loads(line)))), flush=True)
"""


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder with the stand-in. A skip on a laptop without compiler, a failure in CI."""
    compiler = shutil.which("cc")
    if compiler is None:
        if os.environ.get("MLINFN_REQUIRE_DAEMONS"):
            pytest.fail("no C compiler: install gcc or clang")
        pytest.skip("no C compiler for the stand-in of NVML")
    folder = tmp_path_factory.mktemp("nvml")
    source = Path(__file__).parents[1] / "standins" / "nvml.c"
    subprocess.run(
        [compiler, "-Wall", "-Werror", "-shared", "-fPIC", "-o", folder / "libnvidia-ml.so.1", source], check=True
    )
    return folder


class Looker:
    """A process that looks at the devices as a session does; a test writes between two looks what NVML says."""

    def __init__(self, library: Path, folder: Path, ids: list[str], own_pids: bool) -> None:
        self.script = folder / "nvml"
        environment = {**os.environ, "LD_LIBRARY_PATH": str(library), "NVML_STANDIN": str(self.script)}
        command = [sys.executable, "-c", LOOKER, json.dumps({"ids": ids, "own_pids": own_pids})]
        self.process = subprocess.Popen(
            command, env=environment, text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )

    def look(self, *lines: str, pids: tuple[int, ...] = (10, 11)) -> Sample:
        self.script.write_text("\n".join((f"device {UUID}", *lines)) + "\n")
        assert self.process.stdin
        assert self.process.stdout
        self.process.stdin.write(json.dumps(pids) + "\n")
        self.process.stdin.flush()
        return Sample(**json.loads(self.process.stdout.readline()))


@pytest.fixture
def looker(library: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Looker]:
    told = getattr(request, "param", {})
    looker = Looker(library, tmp_path, told.get("ids", [SHORT]), told.get("own_pids", True))
    yield looker
    looker.process.communicate(timeout=60)


def test_a_device_without_our_processes_is_idle(looker: Looker) -> None:
    assert looker.look("rates 90 20", f"process 99 {GIB}", "sample 99 5 90 20") == Sample(0)


def test_our_process_at_work_is_seen_by_its_samples(looker: Looker) -> None:
    at_work = looker.look(f"process 10 {GIB}", "sample 10 5 40 10", "sample 10 6 30 70")
    assert at_work == Sample(70, None, 1024)


def test_memory_that_is_only_held_is_no_work(looker: Looker) -> None:
    looker.look(f"process 10 {GIB}", "sample 10 5 40 10")
    assert looker.look(f"process 10 {GIB}", "sample 10 5 40 10") == Sample(0, None, 1024)


def test_memory_taken_or_freed_since_the_last_look_is_work(looker: Looker) -> None:
    assert looker.look(f"process 10 {GIB}").percent == 0
    assert looker.look(f"process 10 {2 * GIB}") == Sample(100, None, 2048)
    assert looker.look(f"process 10 {GIB}") == Sample(100, None, 1024)


def test_work_of_others_on_the_device_does_not_count(looker: Looker) -> None:
    others = looker.look(f"process 10 {GIB}", f"process 99 {GIB}", "sample 99 5 90 20", "sample 10 5 1 0")
    assert others == Sample(1, None, 1024)


def test_samples_that_the_driver_left_unwritten_do_not_count(looker: Looker) -> None:
    assert looker.look(f"process 10 {GIB}", "sample 10 5 4026531 0", "sample 10 6 3 0").percent == 3


def test_a_driver_without_samples_tells_of_the_whole_device(looker: Looker) -> None:
    no_samples = f"fail nvmlDeviceGetProcessUtilization {NOT_SUPPORTED}"
    assert looker.look(no_samples, f"process 10 {GIB}", "rates 12 34").percent == 34
    assert looker.look(no_samples, "rates 12 34").percent == 0


def test_a_slice_without_utilisation_is_unknown_once_we_are_on_it(looker: Looker) -> None:
    nothing = [
        f"fail {name} {NOT_SUPPORTED}" for name in ("nvmlDeviceGetProcessUtilization", "nvmlDeviceGetUtilizationRates")
    ]
    assert looker.look(*nothing).percent == 0
    on_it = looker.look(*nothing, f"process 10 {GIB}")
    assert on_it.percent == 100
    unchanged = looker.look(*nothing, f"process 10 {GIB}")
    assert unchanged.percent is None
    assert unchanged.unknown is not None
    assert "no utilisation" in unchanged.unknown


def test_an_error_is_unknown_with_its_words_and_passes(looker: Looker) -> None:
    lost = looker.look(f"fail nvmlDeviceGetComputeRunningProcesses_v3 {GPU_IS_LOST}")
    assert lost == Sample(None, "NVML: GPU is lost")
    assert looker.look(f"process 10 {GIB}").unknown is None


@pytest.mark.parametrize("looker", [{"ids": ["GPU-404"]}], indirect=True)
def test_a_device_that_nvml_does_not_know_is_unknown(looker: Looker) -> None:
    assert looker.look() == Sample(None, "NVML knows no device GPU-404")


@pytest.mark.parametrize("looker", [{"own_pids": False}], indirect=True)
def test_in_a_container_every_process_on_the_device_is_ours(looker: Looker) -> None:
    assert looker.look(f"process 4711 {GIB}", "sample 4711 5 60 0", pids=(10,)) == Sample(60, None, 1024)


@pytest.mark.parametrize("looker", [{"ids": [SHORT, SECOND]}], indirect=True)
def test_of_two_devices_the_busiest_counts(looker: Looker) -> None:
    second = (f"device {SECOND}", f"process 11 {GIB}", "sample 11 5 80 0")
    assert looker.look(f"process 10 {GIB}", "sample 10 5 3 0", *second) == Sample(80, None, 2048)


def test_without_driver_it_is_unknown(tmp_path: Path) -> None:
    # Also where this machine has one: an empty file in its place cannot be loaded.
    (tmp_path / "libnvidia-ml.so.1").touch()
    looker = Looker(tmp_path, tmp_path, [SHORT], True)
    assert looker.look().unknown == "NVML: NVML Shared Library Not Found"
    looker.process.communicate(timeout=60)


def test_devices_that_nobody_can_look_at_say_why() -> None:
    assert watch([]) is None
    assert watch([Device("GPU-1", "GPU", "A100", simulated=True)]) == Unwatched("the device is simulated")
    assert watch([Device("xcl1", "FPGA", "U250")]) == Unwatched("nothing tells the utilisation of an FPGA")
