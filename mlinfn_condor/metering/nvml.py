"""GPUs and MIG slices through NVML. Reads only, needs no privilege, and outlives whatever the driver does."""

import contextlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from types import ModuleType
from typing import Any, TypeVar

from mlinfn_condor.metering.look import Health, Look, unknown
from mlinfn_condor.metering.samples import mean

T = TypeVar("T")
MIB = 1024 * 1024
REOPEN_SECONDS = 60
"""How often NVML is opened anew while a device is missing: that is the only way to see it come back, and not cheap."""


@dataclass(frozen=True)
class _Found:
    """A device that NVML lists."""

    handle: Any
    card: Any
    """The whole card's handle: power and energy are its own only."""
    share: float = 1.0
    """Compute slices of this slice, of all that the card is cut into now."""

    @property
    def is_slice(self) -> bool:
        return self.handle is not self.card


class NvmlDriver:
    """pynvml, opened when first needed and again after it failed. `nvml` is the module pynvml."""

    def __init__(self, nvml: ModuleType | Any) -> None:
        self._nvml = nvml
        self._open = False
        self._reopened = float("-inf")
        self._seen: dict[str, int] = {}
        """Time of the last utilisation sample of each device, microseconds of the driver's clock."""
        self._broken_codes = {nvml.NVML_ERROR_GPU_IS_LOST, nvml.NVML_ERROR_RESET_REQUIRED}

    def look(self, ids: Sequence[str], at: float) -> Mapping[str, Look]:
        """HTCondor names a device by the beginning of its UUID."""
        try:
            self._ensure_open()
            listed, lost = self._listed()
        except self._nvml.NVMLError as error:
            self._close()
            return unknown(ids, at, f"NVML: {error}", self._health(error))
        looks = {one: self._look(one, listed, lost, at) for one in ids}
        if any(look.health == "broken" for look in looks.values()) and at - self._reopened >= REOPEN_SECONDS:
            self._reopened = at
            self._close()
        return looks

    def _health(self, error: Any) -> Health:
        """Of devices whose driver says so: without it none can be used; a library that is missing here says nothing."""
        gone = {self._nvml.NVML_ERROR_DRIVER_NOT_LOADED, self._nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH}
        return "broken" if error.value in gone else "unknown"

    def _ensure_open(self) -> None:
        if not self._open:
            self._nvml.nvmlInit()
            self._open = True

    def _close(self) -> None:
        if self._open:
            self._open = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    def _listed(self) -> tuple[dict[str, _Found], list[str]]:
        """What NVML lists now, by UUID, and what it says of cards that it cannot open."""
        listed: dict[str, _Found] = {}
        lost: list[str] = []
        for index in range(self._nvml.nvmlDeviceGetCount()):
            try:
                card = self._nvml.nvmlDeviceGetHandleByIndex(index)
                listed[self._nvml.nvmlDeviceGetUUID(card)] = _Found(card, card)
            except self._nvml.NVMLError as error:
                lost.append(f"card {index}: {error}")
                continue
            listed |= self._slices(card)
        return listed, lost

    def _slices(self, card: Any) -> dict[str, _Found]:
        sizes: dict[str, tuple[Any, int]] = {}
        for handle in self._slice_handles(card):
            with contextlib.suppress(self._nvml.NVMLError):
                attributes = self._nvml.nvmlDeviceGetAttributes_v2(handle)
                sizes[self._nvml.nvmlDeviceGetUUID(handle)] = handle, attributes.computeInstanceSliceCount
        total = sum(size for _, size in sizes.values())
        return {uuid: _Found(handle, card, size / total) for uuid, (handle, size) in sizes.items() if total}

    def _slice_handles(self, card: Any) -> Iterator[Any]:
        try:
            most = self._nvml.nvmlDeviceGetMaxMigDeviceCount(card)
        except self._nvml.NVMLError:
            return
        for number in range(most):
            with contextlib.suppress(self._nvml.NVMLError):
                yield self._nvml.nvmlDeviceGetMigDeviceHandleByIndex(card, number)

    def _look(self, one: str, listed: Mapping[str, _Found], lost: Sequence[str], at: float) -> Look:
        found = next((device for uuid, device in listed.items() if uuid.startswith(one)), None)
        if found is None:
            self._seen.pop(one, None)
            return Look(at, "broken", (f"NVML lists no device {one}", *lost))
        return self._figures(one, found, at)

    def _figures(self, one: str, found: _Found, at: float) -> Look:
        nvml, handle, card = self._nvml, found.handle, found.card
        reasons: list[str] = []
        broken = False

        def ask(figure: str, question: Callable[[], T]) -> T | None:
            nonlocal broken
            try:
                return question()
            except nvml.NVMLError as error:
                broken = broken or error.value in self._broken_codes
                reasons.append(f"{figure}: {error}")
                return None

        memory = ask("memory", lambda: nvml.nvmlDeviceGetMemoryInfo(handle))
        milliwatts = ask("power", lambda: nvml.nvmlDeviceGetPowerUsage(card))
        millijoules = ask("energy", lambda: nvml.nvmlDeviceGetTotalEnergyConsumption(card))
        look = Look(
            at,
            utilisation=ask("utilisation", lambda: self._utilisation(one, handle)),
            energy_joules=None if millijoules is None else millijoules / 1000,
            power_watts=None if milliwatts is None else milliwatts / 1000,
            energy_share=found.share,
            memory_used_mb=None if memory is None else memory.used // MIB,
            memory_total_mb=None if memory is None else memory.total // MIB,
            temperature_c=ask("temperature", lambda: nvml.nvmlDeviceGetTemperature(card, nvml.NVML_TEMPERATURE_GPU)),
            clock_mhz=ask("clock", lambda: nvml.nvmlDeviceGetClockInfo(card, nvml.NVML_CLOCK_SM)),
            processes=ask("processes", lambda: self._processes(handle)),
        )
        if broken:
            return Look(at, "broken", tuple(dict.fromkeys(reasons)))
        return replace(look, health="ok", reasons=tuple(reasons))

    def _processes(self, handle: Any) -> int:
        running = [
            *self._nvml.nvmlDeviceGetComputeRunningProcesses(handle),
            *self._nvml.nvmlDeviceGetGraphicsRunningProcesses(handle),
        ]
        return len({process.pid for process in running})

    def _utilisation(self, one: str, handle: Any) -> float:
        """By the driver's own samples since the last look; where it takes none, by the rate of the moment."""
        before = self._seen.get(one, 0)
        try:
            _, samples = self._nvml.nvmlDeviceGetSamples(handle, self._nvml.NVML_GPU_UTILIZATION_SAMPLES, before)
        except self._nvml.NVMLError as error:
            none = {self._nvml.NVML_ERROR_NOT_FOUND, self._nvml.NVML_ERROR_NOT_SUPPORTED}
            if error.value not in none:
                raise
            samples = []
        taken = sorted((sample.timeStamp, sample.sampleValue.uiVal) for sample in samples)
        taken = [(time, percent) for time, percent in taken if time > before]
        if taken:
            self._seen[one] = taken[-1][0]
        told = mean(before, taken)
        return told if told is not None else self._nvml.nvmlDeviceGetUtilizationRates(handle).gpu / 100
