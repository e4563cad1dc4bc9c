"""How many jobs each submitter has, as the schedds tell the collector: no schedd is asked for that."""

from dataclasses import dataclass
from typing import Self

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.pool import ads
from mlinfn_condor.pool.ads import Ad


@dataclass(frozen=True)
class Submitter:
    """One accounting group and user at one access point; `name` as the negotiator accounts it."""

    name: str
    access_point: str
    idle: int
    running: int
    held: int

    @classmethod
    def from_ad(cls, ad: Ad) -> Self:
        """Read a submitter ad of the collector."""
        idle, running, held = (ads.whole(ad, name) for name in ("IdleJobs", "RunningJobs", "HeldJobs"))
        return cls(ads.text(ad, "Name"), ads.text(ad, "ScheddName"), idle, running, held)

    @property
    def priority_class(self) -> PriorityClass | None:
        """Class of its jobs; None for a name outside of the pool's groups."""
        top = self.name.partition(".")[0]
        return next((each for each in PriorityClass if each.accounting_group == top), None)

    @property
    def project(self) -> str:
        """Project of its jobs; empty for a name outside of the pool's groups."""
        parts = self.name.partition("@")[0].split(".")
        return parts[1] if self.priority_class and len(parts) > 2 else ""
