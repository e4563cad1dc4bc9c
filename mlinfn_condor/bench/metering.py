"""The bench `metering`: what the monitor of a node's devices costs that node, beside HTCondor's own.

Both read eight cards of a library that stands in for NVIDIA's: what is measured is the monitors themselves; how long a
real driver takes to answer, `mlinfn node selftest` tells on a node that has one. HTCondor's reads utilisation and
memory only. Needs a checkout of the sources and a C compiler.
"""

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded import distribution
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import UserError
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.settings import Settings
from mlinfn_condor.shipped import shipped

NAME = "metering"
MONITOR = "monitor"
CASES = (MONITOR,)
TARGET: Target = {"cpu_percent": ("<=", 1)}
DEVICES = 8
MEASURED_SECONDS, QUICK_SECONDS = 120.0, 30.0
SETTLE_SECONDS = 3.0
"""Until libraries are loaded and the driver is open, which happens once."""
STANDINS = Path(__file__).parents[2] / "tests" / "standins"
_UUID = (8, 4, 4, 4, 12)


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not, or without sources."""
    told = opening(NAME, CASES, cases, quick=quick)
    if not STANDINS.is_dir():
        raise UserError(f"{STANDINS} is missing: run this bench in a checkout of the sources")
    with tempfile.TemporaryDirectory() as folder:
        return told | {
            "cases": [_monitor(Path(folder), report, QUICK_SECONDS if quick else MEASURED_SECONDS).as_json()]
        }


def _monitor(folder: Path, report: Report, seconds: float) -> Case:
    ids = [_uuid(number) for number in range(1, DEVICES + 1)]
    environment = _standins(folder, ids)
    with report.step(f"{MONITOR}: each for {seconds:.0f} s", 2) as step:
        ours = _cost(_our_command(folder, ids), environment, folder, seconds)
        step.advance(1)
        installed = distribution.find(Settings())
        theirs = installed and _cost([str(installed.libexec / "condor_gpu_utilization")], environment, folder, seconds)
        step.advance(1)
    return Case(MONITOR, ours, TARGET, Beside("condor_gpu_utilization", theirs) if theirs else None)


def _uuid(number: int) -> str:
    return "GPU-" + "-".join(f"{number:02x}" * (length // 2) for length in _UUID)


def _standins(folder: Path, ids: Sequence[str]) -> Mapping[str, str]:
    """Build both libraries and write what they say; the environment in which they are found."""
    for source, library in (("nvml.c", "libnvidia-ml.so.1"), ("cuda.c", "libcuda.so")):
        try:
            build = ["cc", "-O2", "-shared", "-fPIC", "-o", str(folder / library), str(STANDINS / source)]
            subprocess.run(build, check=True, capture_output=True)
        except (OSError, subprocess.CalledProcessError) as error:
            raise UserError(f"cannot build {source}: install a C compiler ({error})") from error
    figures = "works 40\ndraws 70000\nmemory 1073741824 16106127360\ntemperature 50\nclock 1400\nprocess 10 1\n"
    (folder / "script").write_text("".join(f"device {one}\n{figures}" for one in ids))
    found = {"LD_LIBRARY_PATH": str(folder), "NVML_STANDIN": str(folder / "script"), "CUDA_STANDIN": str(len(ids))}
    return os.environ | found


def _our_command(folder: Path, ids: Sequence[str]) -> list[str]:
    """As condor_config.d/72 has it, at the shipped intervals."""
    node = Node("bench", 1, 1, tuple(Device("GPUs", one, "T4", "Tesla T4", 15360, simulated=False) for one in ids))
    node.write(folder / "node.json")
    numbers = (shipped("condor_config.d") / "00-state-the-numbers.conf").read_text()
    seconds = dict(re.findall(r"^(MLINFN_\w+_SECONDS) = (\d+)$", numbers, re.MULTILINE))
    look, every = seconds["MLINFN_METERING_LOOK_SECONDS"], seconds["MLINFN_METERING_REPORT_SECONDS"]
    command = [sys.executable, "-m", "mlinfn_condor.metering.monitor", "--node", str(folder / "node.json")]
    back = seconds["MLINFN_DEVICE_BACK_SECONDS"]
    return [*command, "--look", look, "--report", every, "--back", back, "--withdrawn", str(folder / "withdrawn")]


def _cost(command: Sequence[str], environment: Mapping[str, str], folder: Path, seconds: float) -> Measured:
    """Of a monitor that runs for so long after it has settled; what it says goes into a file."""
    with (folder / "said").open("wb") as said:
        process = subprocess.Popen(command, env=environment, stdout=said, stderr=subprocess.STDOUT)
        try:
            time.sleep(SETTLE_SECONDS)
            before, began = _cpu_seconds(process.pid), time.monotonic()
            time.sleep(seconds)
            used, elapsed = _cpu_seconds(process.pid) - before, time.monotonic() - began
            memory = _rss_mb(process.pid)
        except (OSError, IndexError, StopIteration):
            last = (folder / "said").read_text().splitlines()[-1:]
            return Measured({}, failures=[f"it ended: {''.join(last)}"])
        finally:
            process.kill()
            process.wait()
    reports = (folder / "said").read_text().count("UptimeGPUsSeconds")
    figures = {"cpu_percent": round(100 * used / elapsed, 3), "rss_mb": round(memory, 1), "devices": DEVICES}
    return Measured(figures, failures=[] if reports else ["it reported nothing"])


def _cpu_seconds(pid: int) -> float:
    """Of the process, finer than the clock ticks in its stat."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def _rss_mb(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS:"))
