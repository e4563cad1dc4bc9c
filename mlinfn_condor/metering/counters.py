"""From looks to counters that only rise: busy seconds and joules of a device since this monitor began. Pure.

Invariant: no counter ever falls, and seconds for which a figure was unknown count in none of them. A driver's own
counter that jumps (driver reloaded, card reset, wrapped, nonsense) makes the interval around the jump unknown, no more.
"""

from dataclasses import dataclass, replace

from mlinfn_condor.metering.look import POWER_READING_ERROR, EnergySource, Look

LONGEST_GAP_SECONDS = 60
"""After a longer pause (a stopped machine, a driver that hung) samples and power of the moment say nothing about it."""
MOST_WATTS = 3000
"""More than any card draws: an energy counter that rose faster did not count energy."""


@dataclass(frozen=True)
class Counters:
    """What one device did since `start`."""

    start: int
    """Seconds of the epoch; the counters of another start are others."""
    last: Look
    busy_seconds: float = 0.0
    measured_seconds: float = 0.0
    """Seconds for which utilisation was known."""
    joules: float = 0.0
    energy_seconds: float = 0.0
    """Seconds for which energy was known."""
    doubtful_joules: float = 0.0
    """How far the joules may be off, in either direction."""
    energy_source: EnergySource | None = None
    """Of the last interval whose energy was known."""

    @property
    def energy_error(self) -> float | None:
        """Relative error of the joules; None where there are none, and where they are simulated."""
        if self.energy_source in (None, "simulated") or not self.joules:
            return None
        return self.doubtful_joules / self.joules


def after(counters: Counters, now: Look) -> Counters:
    """The counters with what happened from the last look to this one."""
    before, seconds = counters.last, now.at - counters.last.at
    if seconds <= 0:
        return counters
    counters = replace(counters, last=now)
    if now.utilisation is not None and seconds <= LONGEST_GAP_SECONDS:
        counters = replace(
            counters,
            busy_seconds=counters.busy_seconds + now.utilisation * seconds,
            measured_seconds=counters.measured_seconds + seconds,
        )
    used = _energy(before, now, seconds)
    if used is None:
        return counters
    joules, doubt, source = used
    return replace(
        counters,
        joules=counters.joules + joules,
        energy_seconds=counters.energy_seconds + seconds,
        doubtful_joules=counters.doubtful_joules + doubt,
        energy_source=source,
    )


def _energy(before: Look, now: Look, seconds: float) -> tuple[float, float, EnergySource] | None:
    """Joules, how many of them are in doubt, and whence; None where nobody can tell."""
    if before.energy_share != now.energy_share:
        return None  # The card was cut into other slices meanwhile.
    counted = before.energy_joules is not None and now.energy_joules is not None
    of_card = _counted(before, now, seconds) if counted else _integrated(before, now, seconds)
    if of_card is None:
        return None
    joules, doubt = of_card
    if now.energy_share < 1:
        # The card may have worked for this slice alone, or not at all.
        doubt = joules * max(now.energy_share, 1 - now.energy_share)
    source: EnergySource = "simulated" if now.simulated else "counter" if counted else "integrated"
    return joules * now.energy_share, doubt, source


def _counted(before: Look, now: Look, seconds: float) -> tuple[float, float] | None:
    """By the card's own counter."""
    joules = (now.energy_joules or 0.0) - (before.energy_joules or 0.0)
    return (joules, joules * POWER_READING_ERROR) if 0 <= joules <= MOST_WATTS * seconds else None


def _integrated(before: Look, now: Look, seconds: float) -> tuple[float, float] | None:
    """By the power of both looks: between them it may have been the first or the second all the time."""
    if before.power_watts is None or now.power_watts is None or seconds > LONGEST_GAP_SECONDS:
        return None
    joules = (before.power_watts + now.power_watts) / 2 * seconds
    return joules, joules * POWER_READING_ERROR + abs(now.power_watts - before.power_watts) / 2 * seconds
