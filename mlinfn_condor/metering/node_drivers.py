"""Which driver looks at which of a node's devices."""

import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from mlinfn_condor.metering.fpga import FpgaDriver
from mlinfn_condor.metering.look import Driver, Look, unknown
from mlinfn_condor.metering.simulated import SimulatedDriver, payloads_are_ours
from mlinfn_condor.node.devices import Device


@dataclass(frozen=True)
class Unmetered:
    """Devices that nothing here can look at."""

    reason: str

    def look(self, ids: Sequence[str], at: float) -> Mapping[str, Look]:
        """Always the same."""
        return unknown(ids, at, self.reason)


class NodeDrivers:
    """All of a node's devices at once."""

    def __init__(self, parts: Iterable[tuple[Driver, tuple[str, ...]]]) -> None:
        self._parts = [(driver, ids) for driver, ids in parts if ids]

    def look(self, at: float) -> dict[str, Look]:
        """One look at each device of the node."""
        return {one: look for driver, ids in self._parts for one, look in driver.look(ids, at).items()}


def drivers(devices: Sequence[Device], startd: int, proc: Path = Path("/proc")) -> NodeDrivers:
    """The drivers for these devices; nothing of NVIDIA's is loaded on a node without a real GPU."""
    simulated = tuple(device.id for device in devices if device.simulated)
    gpus = tuple(device.id for device in devices if not device.simulated and device.kind == "GPUs")
    fpgas = tuple(device.id for device in devices if not device.simulated and device.kind == "FPGAs")
    return NodeDrivers(
        [
            (SimulatedDriver(proc, payloads_are_ours(proc, startd)), simulated),
            (gpu_driver() if gpus else Unmetered(""), gpus),
            (FpgaDriver(xbutil=shutil.which("xbutil")), fpgas),
        ]
    )


def gpu_driver() -> Driver:
    """NVML, or why there is none."""
    try:
        import pynvml
    except ImportError:
        return Unmetered("nvidia-ml-py is not installed where the monitor runs")
    from mlinfn_condor.metering.nvml import NvmlDriver

    return NvmlDriver(pynvml)
