"""One look at one device: what its driver says at a moment. What the driver does not say is None, never zero."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

Health = Literal["ok", "broken", "unknown"]
"""`broken`: no payload can use the device. `unknown`: nobody can tell, so it stays on offer."""
EnergySource = Literal["counter", "integrated", "simulated"]

POWER_READING_ERROR = 0.05
"""Relative error of a GPU's own power reading and energy counter (NVML: within 5 % of the draw)."""


@dataclass(frozen=True)
class Look:
    """What is known of one device."""

    at: float
    """Seconds of a clock that is never set."""
    health: Health = "unknown"
    reasons: tuple[str, ...] = ()
    """Why figures are missing or the device is broken, in the driver's words."""
    utilisation: float | None = None
    """Part of the time since the look before in which it computed, 0 to 1."""
    energy_joules: float | None = None
    """The device's own counter, as it stands."""
    power_watts: float | None = None
    energy_share: float = 1.0
    """Part of these joules and watts that is this device's: below 1 for a slice of a card."""
    simulated: bool = False
    memory_used_mb: int | None = None
    memory_total_mb: int | None = None
    temperature_c: int | None = None
    clock_mhz: int | None = None
    processes: int | None = None


class Driver(Protocol):
    """Looks at some of a node's devices. Never raises for what a device or a library does."""

    def look(self, ids: Sequence[str], at: float) -> Mapping[str, Look]:
        """One look at each of these devices."""


def unknown(ids: Sequence[str], at: float, reason: str, health: Health = "unknown") -> dict[str, Look]:
    """The same word about each of these devices."""
    return {one: Look(at, health, (reason,)) for one in ids}
