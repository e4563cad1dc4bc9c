"""Simulated time: how fast it goes, what of the policy goes as fast, and what does not. Pure.

HTCondor's own reactions take wall time: a cycle, a look of a startd, the start of a job. They cannot be made faster
than a second or so, and so they last too long beside a simulated hour. `limits` says how long.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from math import floor, log10
from typing import Self

from mlinfn_condor.contracts.settings import Contracts
from mlinfn_condor.simulation.spans import told
from mlinfn_condor.simulation.workload import Workload

LONG_ENOUGH_SECONDS = 20.0
"""Of wall time, that a job lasts: some cycles, and the second of its start is some per cent of it."""
SHORTER_PART = 0.1
"""Of the device time, that may be of shorter jobs."""
MOST_SPEED = 10_000.0
CYCLE_SECONDS = 1
"""Of the negotiator and of the batch queue's count; the policy's own are longer, beside jobs of hours."""
SESSION_SECONDS, START_SECONDS = 0.2, 2.0
"""From the submit of a session, and of a job, to its first line where a device is free (measured, two cores)."""
HANDOVER_SECONDS = 5.0
"""To an owner's or a Dask job at worst, beyond the time in which the victim saves its work (`mlinfn bench sharing`)."""
CLAIM_SECONDS = 1200.0
"""HTCondor's CLAIM_WORKLIFE, where no file of the policy says otherwise: how long a user may start one job after the
other on a slot without the negotiator."""
BEGIN_SECONDS = 15
"""From the writing of the configuration to the first submit, where it has to know the hour."""


def default_speed(workload: Workload) -> float:
    """So fast that nine tenths of the device time are of jobs that last long enough; to two digits."""
    weighed = sorted((s.duration, s.count * max(1, s.devices) * s.duration) for s in workload.submits)
    left = sum(weight for _, weight in weighed) * SHORTER_PART
    duration = weighed[-1][0]
    for each, weight in weighed:
        left -= weight
        if left < 0:
            duration = each
            break
    speed = min(max(1.0, duration / LONG_ENOUGH_SECONDS), MOST_SPEED)
    digit = 10.0 ** (floor(log10(speed)) - 1)
    return max(1.0, floor(speed / digit) * digit)


@dataclass(frozen=True)
class Numbers:
    """Those of the policy that mean time, in real seconds, as `condor_config.d` and the contracts have them."""

    window: float
    longest_window: float
    min_run: float
    half_life: float
    claim: float
    job_hours: float
    device_weight: float
    """Of one device beside one core; no time, but a boost needs it."""

    @classmethod
    def of(cls, policy: str, contracts: Contracts) -> Self:
        """From the text of `00-state-the-numbers.conf`. Raises ValueError when one is not there."""
        found = dict(_NUMBER.findall(policy))
        try:
            return cls(
                window=float(found["MLINFN_VACATE_SECONDS"]),
                longest_window=float(found["MLINFN_VACATE_SECONDS_CAP"]),
                min_run=float(found["MLINFN_BATCH_MIN_RUN_SECONDS"]),
                half_life=float(found["MLINFN_USAGE_HALFLIFE_SECONDS"]),
                claim=CLAIM_SECONDS,
                job_hours=contracts.limits.hours_per_job or float(found["MLINFN_JOB_MAX_HOURS"]),
                device_weight=float(found["MLINFN_DEVICE_WEIGHT"]),
            )
        except KeyError as error:
            raise ValueError(f"the policy's numbers have no {error.args[0]}") from error


@dataclass(frozen=True)
class Clock:
    """Simulated time beside the wall's."""

    speed: float
    began: float
    """When the simulated time was 0, seconds of the epoch."""

    def wall(self, simulated: float) -> float:
        """Seconds of the epoch at a simulated second."""
        return self.began + simulated / self.speed

    def simulated(self, wall: float) -> float:
        """The simulated second at a second of the epoch."""
        return (wall - self.began) * self.speed


_NUMBER = re.compile(r"^(\w+)\s*=\s*(\d+(?:\.\d+)?)\s*$", re.MULTILINE)
MONDAY = datetime(2024, 1, 1)
"""Simulated time begins on a Monday at midnight of the machine's own time zone; its clocks do not change then."""


def overrides(numbers: Numbers, clock: Clock) -> str:
    """HTCondor configuration that makes the policy's own times go as fast as the simulated time does."""
    speed = clock.speed
    lines = {
        "MLINFN_NEGOTIATION_SECONDS": CYCLE_SECONDS,
        "MLINFN_BATCH_QUEUE_SECONDS": CYCLE_SECONDS,
        "MLINFN_BATCH_MIN_RUN_SECONDS": f"{numbers.min_run / speed:.3f}",
        "MLINFN_USAGE_HALFLIFE_SECONDS": f"{max(1.0, numbers.half_life / speed):.3f}",
        # The payload keeps to the scaled window; HTCondor's must only not be over before.
        "MLINFN_VACATE_SECONDS": _whole(numbers.longest_window / speed + 30),
        "MLINFN_VACATE_SECONDS_CAP": _whole(numbers.longest_window / speed + 30),
        "CLAIM_WORKLIFE": _whole(numbers.claim / speed),
        "MLINFN_CLOCK": f"({MONDAY.timestamp():.0f} + (time() - {clock.began:.3f}) * {speed})",
    }
    if numbers.job_hours:
        lines["MLINFN_JOB_MAX_SECONDS"] = _whole(numbers.job_hours * 3600 / speed)
    return "".join(f"{name} = {value}\n" for name, value in lines.items())


def limits(workload: Workload, numbers: Numbers, speed: float, contracts: Contracts) -> Iterator[str]:
    """What a reader of the result has to know, each in one sentence."""
    yield (
        f"HTCondor's own reactions do not scale: of the simulated time a session's start takes about "
        f"{told(SESSION_SECONDS * speed)}, a job's {told(START_SECONDS * speed)}, a hand-over up to "
        f"{told(HANDOVER_SECONDS * speed)} more; shorter waits are not resolved"
    )
    yield "nobody culls sessions here: a session is a job that lasts as long as it says"
    for name, seconds in (("minimum run time", numbers.min_run), ("a claim's time", numbers.claim)):
        if seconds / speed < CYCLE_SECONDS:
            yield f"the {name} of {told(seconds)} is shorter than a cycle at this speed, and has no effect of its own"
    if contracts.headroom or contracts.windows:
        yield f"hours begin on a Monday at midnight, and are kept to {told(HANDOVER_SECONDS * speed)}"
    short = sum(s.count for s in workload.submits if s.duration / speed < CYCLE_SECONDS * 2)
    if short:
        yield f"{short} of {workload.jobs} jobs last less than 2 s of wall time: run it slower (--speed) if they matter"
    if numbers.job_hours:
        yield f"hours of a job are kept to whole seconds of wall time, {told(speed)}"


def _whole(seconds: float) -> int:
    return max(1, round(seconds))
