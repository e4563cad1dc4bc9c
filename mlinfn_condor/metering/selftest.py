"""What a site runs once on a node with real devices: does the meter see them, and can its energy be believed?

`examine` takes the drivers that the monitor takes, looks for some seconds, and says what it found, with the figures.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from mlinfn_condor.metering.counters import MOST_WATTS
from mlinfn_condor.metering.look import Health, Look
from mlinfn_condor.metering.node_drivers import NodeDrivers
from mlinfn_condor.node.devices import Device

SECONDS = 20.0
LOOK_SECONDS = 0.5
MOST_DISAGREEMENT = 0.15
"""Energy counter against integrated power: the 5 % that each may be off, and what power did between two looks."""
MOST_CORE_PERCENT = 1.0

Verdict = Literal["right", "wrong", "unknown"]
_VERDICTS: dict[Health, Verdict] = {"ok": "right", "broken": "wrong", "unknown": "unknown"}


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    """A device's id, or `monitor`."""
    what: str
    verdict: Verdict
    told: str
    """The figure, or why there is none."""


def examine(
    devices: Sequence[Device],
    drivers: NodeDrivers,
    look_seconds: float,
    seconds: float = SECONDS,
    sleep: Callable[[float], None] = time.sleep,
) -> list[Finding]:
    """Look for some seconds. `look_seconds`: how often the monitor will look (MLINFN_METERING_LOOK_SECONDS)."""
    series: list[dict[str, Look]] = []
    began, spent = time.monotonic(), 0.0
    while not series or time.monotonic() - began < seconds or len(series) < 3:
        before = time.process_time()
        series.append(drivers.look(time.monotonic()))
        # The first look loads libraries and opens the driver; the monitor does that once.
        spent += time.process_time() - before if len(series) > 1 else 0.0
        sleep(LOOK_SECONDS)
    found = [finding for one in devices for finding in judge(one, [looks[one.id] for looks in series])]
    return [*found, _cost(spent / (len(series) - 1), look_seconds)]


def judge(device: Device, looks: Sequence[Look]) -> Iterator[Finding]:
    """What these looks at a device, in their order and at least two, say of it. Pure."""
    last = looks[-1]
    reasons = "; ".join(last.reasons)
    yield Finding(device.id, "driver", _VERDICTS[last.health], reasons or "every figure is known")
    figures = (
        ("utilisation", None if last.utilisation is None else f"{last.utilisation:.0%}"),
        ("memory", None if last.memory_used_mb is None else f"{last.memory_used_mb} of {last.memory_total_mb} MB"),
        ("power", None if last.power_watts is None else f"{last.power_watts * last.energy_share:.1f} W"),
        ("temperature", None if last.temperature_c is None else f"{last.temperature_c} °C"),
        ("clock", None if last.clock_mhz is None else f"{last.clock_mhz} MHz"),
        ("processes", None if last.processes is None else f"{last.processes}"),
    )
    for what, told in figures:
        yield Finding(device.id, what, "right" if told else "unknown", told or _reason(last, what))
    yield _energy(device, looks)


def _reason(look: Look, what: str) -> str:
    return next((reason for reason in look.reasons if reason.startswith(f"{what}:")), "; ".join(look.reasons))


def _energy(device: Device, looks: Sequence[Look]) -> Finding:
    """The counter rises, never faster than a card can draw, and agrees with power where that is known."""
    if any(look.energy_joules is None for look in looks):
        known = all(look.power_watts is not None for look in looks)
        told = "no counter; power is integrated" if known else "neither counter nor power"
        return Finding(device.id, "energy", "right" if known else "unknown", told)
    counted = [(look.at, look.energy_joules or 0.0) for look in looks]
    if any(later[1] < earlier[1] for earlier, later in pairwise(counted)):
        return Finding(device.id, "energy", "wrong", "the counter falls")
    seconds, joules = counted[-1][0] - counted[0][0], counted[-1][1] - counted[0][1]
    if joules > MOST_WATTS * seconds:
        return Finding(device.id, "energy", "wrong", f"the counter rises by {joules / seconds:.0f} W")
    if not joules:
        return Finding(device.id, "energy", "wrong", f"the counter stood still for {seconds:.0f} s")
    by_power = _integrated(looks)
    if by_power is None:
        return Finding(device.id, "energy", "right", f"{joules / seconds:.1f} W by the counter; power is unknown")
    off = abs(joules - by_power) / joules
    told = f"{joules / seconds:.1f} W by the counter, {by_power / seconds:.1f} W by power: {off:.1%} apart"
    return Finding(device.id, "energy", "right" if off <= MOST_DISAGREEMENT else "wrong", told)


def _integrated(looks: Iterable[Look]) -> float | None:
    joules = 0.0
    for earlier, later in pairwise(looks):
        if earlier.power_watts is None or later.power_watts is None:
            return None
        joules += (earlier.power_watts + later.power_watts) / 2 * (later.at - earlier.at)
    return joules


def _cost(seconds_a_look: float, look_seconds: float) -> Finding:
    percent = 100 * seconds_a_look / look_seconds
    told = f"{1000 * seconds_a_look:.1f} ms of a core a look, {percent:.2f} % of a core at one each {look_seconds:g} s"
    return Finding("monitor", "cost", "right" if percent <= MOST_CORE_PERCENT else "wrong", told)
