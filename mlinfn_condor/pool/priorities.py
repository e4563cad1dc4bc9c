"""Fair share as the negotiator accounts it: what `condor_userprio` shows."""

from dataclasses import dataclass
from typing import Self

from mlinfn_condor.pool import ads
from mlinfn_condor.pool.ads import Ad


@dataclass(frozen=True)
class Priority:
    """One submitter or accounting group. A *smaller* effective priority is served first."""

    name: str
    group: str
    is_group: bool
    effective: float
    factor: float
    weighted_in_use: float
    """Slot weights in use now: a core counts 1, a device as condor_config.d says."""
    weighted_hours: float
    """Slot weights times hours since accounting began; not decayed."""

    @classmethod
    def from_ad(cls, ad: Ad) -> Self:
        """Read an accounting ad."""
        number = {name: float(value) for name, value in ad.items() if isinstance(value, int | float)}
        return cls(
            ads.text(ad, "Name"),
            ads.text(ad, "AccountingGroup"),
            ad.get("IsAccountingGroup") is True,
            number.get("Priority", 0.0),
            number.get("PriorityFactor", 1.0),
            number.get("WeightedResourcesUsed", 0.0),
            number.get("WeightedAccumulatedUsage", 0.0) / 3600,
        )
