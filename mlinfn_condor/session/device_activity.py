"""Whether the devices of a session work, by NVML, and only as far as the session's own processes go.

Three-valued: a percentage, or None with the reason why nobody can tell (no driver, a simulated device, an FPGA).
"""

import contextlib
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any, Protocol

from mlinfn_condor.session.job import Device

_INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""PROC_PID_INIT_INO of the Linux kernel."""
_MIB = 1024 * 1024


@dataclass(frozen=True)
class Sample:
    """What the devices did since the last look."""

    percent: int | None
    """Of the busiest device: compute, memory, encoder or decoder, whichever is highest."""
    unknown: str | None = None
    memory_mb: int = 0


class Watch(Protocol):
    """Looks at the devices of one session."""

    def look(self, pids: Collection[int]) -> Sample:
        """`pids` are the session's processes."""


@dataclass(frozen=True)
class Unwatched:
    """Devices that nobody can look at."""

    reason: str

    def look(self, pids: Collection[int]) -> Sample:
        """Always the same."""
        return Sample(None, self.reason)


def watch(devices: Sequence[Device], proc: Path = Path("/proc")) -> Watch | None:
    """The watch over these devices; None for a session without any."""
    if not devices:
        return None
    if any(device.simulated for device in devices):
        return Unwatched("the device is simulated")
    if any(device.kind != "GPU" for device in devices):
        return Unwatched("nothing tells the utilisation of an FPGA")
    try:
        import pynvml
    except ImportError:
        return Unwatched("nvidia-ml-py is not installed in the session's environment")
    return NvmlWatch(pynvml, [device.id for device in devices], sees_host_pids(proc))


def sees_host_pids(proc: Path = Path("/proc")) -> bool:
    """Whether this process's pids are the ones that the driver knows: not so in most containers."""
    try:
        return str((proc / "self/ns/pid").readlink()) == _INITIAL_PID_NAMESPACE
    except OSError:
        return False


class NvmlWatch:
    """NVML through pynvml. Where NVML gives no pids of ours, each process on the device counts as the session's.

    That errs to the side of work, and hardly ever: HTCondor assigned the device to this job alone.
    """

    def __init__(self, nvml: ModuleType | Any, ids: Sequence[str], own_pids: bool) -> None:
        self._nvml, self._ids, self._own_pids = nvml, ids, own_pids
        self._seen: dict[str, int] = {}
        self._memory: dict[str, int] = {}
        self._open = False

    def look(self, pids: Collection[int]) -> Sample:
        """One sample over all devices; an error of one makes the whole unknown, with NVML's words."""
        mine = (lambda pid: pid in pids) if self._own_pids else (lambda _: True)
        try:
            if not self._open:
                self._nvml.nvmlInit()
                self._open = True
            samples = [self._look(name, mine) for name in self._ids]
        except self._nvml.NVMLError as error:
            self._close()
            return Sample(None, f"NVML: {error}")
        memory = sum(sample.memory_mb for sample in samples)
        percents = [sample.percent for sample in samples if sample.percent is not None]
        unknown = next((sample.unknown for sample in samples if sample.unknown), None)
        # A device that works is work, whatever another hides.
        if unknown is not None and not any(percents):
            return Sample(None, unknown, memory)
        return Sample(max(percents), None, memory)

    def _close(self) -> None:
        """After an error, so that a driver that was reloaded is found again."""
        if self._open:
            self._open = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    def _look(self, name: str, mine: Callable[[int], bool]) -> Sample:
        device = self._handle(name)
        if device is None:
            return Sample(None, f"NVML knows no device {name}")
        held = self._held(device, mine)
        before, self._memory[name] = self._memory.get(name), held or 0
        memory_mb = (held or 0) // _MIB
        if held is None:
            return Sample(0)
        # Who takes or frees memory of the device uses it, however short its kernels are.
        if before is not None and before != held:
            return Sample(100, None, memory_mb)
        percent = self._by_process(device, name, mine)
        if percent is None:
            percent = self._of_device(device)
        if percent is None:
            return Sample(None, f"NVML tells no utilisation of {name}, as for MIG slices", memory_mb)
        return Sample(percent, None, memory_mb)

    def _handle(self, name: str) -> Any:
        """HTCondor names a device by the beginning of its UUID."""
        for device in self._devices():
            if self._nvml.nvmlDeviceGetUUID(device).startswith(name):
                return device
        return None

    def _devices(self) -> Iterator[Any]:
        for index in range(self._nvml.nvmlDeviceGetCount()):
            device = self._nvml.nvmlDeviceGetHandleByIndex(index)
            yield device
            try:
                slices = range(self._nvml.nvmlDeviceGetMaxMigDeviceCount(device))
            except self._nvml.NVMLError:
                continue
            for number in slices:
                with contextlib.suppress(self._nvml.NVMLError):
                    yield self._nvml.nvmlDeviceGetMigDeviceHandleByIndex(device, number)

    def _held(self, device: Any, mine: Callable[[int], bool]) -> int | None:
        """Bytes that our processes hold; None if none of them is on the device."""
        running = [
            *self._nvml.nvmlDeviceGetComputeRunningProcesses(device),
            *self._nvml.nvmlDeviceGetGraphicsRunningProcesses(device),
        ]
        ours = {process.pid: process.usedGpuMemory or 0 for process in running if mine(process.pid)}
        return sum(ours.values()) if ours else None

    def _by_process(self, device: Any, name: str, mine: Callable[[int], bool]) -> int | None:
        """The highest sample since the last look; None where the driver takes none."""
        try:
            samples = self._nvml.nvmlDeviceGetProcessUtilization(device, self._seen.get(name, 0))
        except self._nvml.NVMLError as error:
            # The driver has no sample when nothing ran.
            if error.value in {self._nvml.NVML_ERROR_NOT_FOUND, self._nvml.NVML_SUCCESS}:
                return 0
            if error.value in {self._nvml.NVML_ERROR_NOT_SUPPORTED, self._nvml.NVML_ERROR_FUNCTION_NOT_FOUND}:
                return None
            raise
        self._seen[name] = max([sample.timeStamp for sample in samples] + [self._seen.get(name, 0)])
        highest = (
            max(sample.smUtil, sample.memUtil, sample.encUtil, sample.decUtil) for sample in samples if mine(sample.pid)
        )
        # Some drivers leave entries unwritten, whose percentages are noise.
        return max((percent for percent in highest if percent <= 100), default=0)

    def _of_device(self, device: Any) -> int | None:
        """Of the whole device, which is the session's alone."""
        try:
            rates = self._nvml.nvmlDeviceGetUtilizationRates(device)
        except self._nvml.NVMLError as error:
            if error.value == self._nvml.NVML_ERROR_NOT_SUPPORTED:
                return None
            raise
        return int(max(rates.gpu, rates.memory))
