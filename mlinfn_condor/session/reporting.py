"""Makes reports of a session's work out of looks at it: what a look means does not depend on who looks next."""

from collections.abc import Sequence
from dataclasses import replace

from mlinfn_condor.session.activity import Activity, Devices, Kernel, Signal, Terminal
from mlinfn_condor.session.cpu_activity import Usage
from mlinfn_condor.session.device_activity import Sample

GAP_INTERVALS = 3
"""Looks that may fail to come before the session counts as unwatched: a node that slept, a home that hung."""


class Reporter:
    """Keeps since when the session is watched and when each signal was last high; one look after another."""

    def __init__(self, started: float, device_ids: Sequence[str], interval_seconds: float) -> None:
        self._started, self._interval = started, interval_seconds
        self._person = started
        self._device_ids = tuple(device_ids)
        self._looked: float | None = None
        self._used = 0.0
        self._cpu = Signal(started)
        self._devices = Devices(self._device_ids)

    def person_acts(self, now: float) -> None:
        """A person typed, clicked, or asked to keep the session."""
        self._person = max(self._person, now)

    def due(self, now: float) -> bool:
        """Whether enough time has passed for a fair sample; a report in between repeats the last one's signals."""
        return self._looked is None or not 0 <= now - self._looked < self._interval / 2

    def add(self, now: float, usage: Usage, sample: Sample | None) -> None:
        """Take one look in; `sample` is None for a session without devices."""
        before, self._looked = self._looked, now
        used, self._used = self._used, usage.cpu_seconds
        watched = before is not None and 0 < now - before <= GAP_INTERVALS * self._interval
        if before is None or not watched:
            self._cpu = Signal(now)
        else:
            percent = 100 * max(0.0, usage.cpu_seconds - used) / (now - before)
            self._cpu = Signal(self._cpu.watched_since, self._cpu.peaks.after(now, percent), round(percent))
        if sample is not None:
            self._devices = self._with_sample(now, sample, watched)

    def _with_sample(self, now: float, sample: Sample, watched: bool) -> Devices:
        if sample.percent is None:
            return Devices(self._device_ids, None, sample.unknown, sample.memory_mb)
        known = self._devices.signal if watched else None
        signal = known or Signal(now)
        signal = replace(signal, peaks=signal.peaks.after(now, sample.percent), percent=sample.percent)
        return Devices(self._device_ids, signal, None, sample.memory_mb)

    def report(self, now: float, kernels: Sequence[Kernel], terminals: Sequence[Terminal]) -> Activity:
        """What is known now."""
        return Activity(now, self._started, self._cpu, self._person, tuple(kernels), tuple(terminals), self._devices)
