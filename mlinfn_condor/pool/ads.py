"""ClassAds as plain Python values: what crosses the gate.

Numbers, strings, booleans and lists stay what they are, nested ads become dictionaries, UNDEFINED and ERROR become
None. An expression becomes its value inside its own ad where it has one, and its text where it needs a partner.
"""

from collections.abc import Mapping
from typing import Any

AdValue = Any
"""str, int, float, bool, None, a list of such values, or a dictionary of them."""

Ad = Mapping[str, AdValue]
"""Attribute names as HTCondor documents them; reading is exact in case, unlike in HTCondor itself."""

KEPT_AS_TEXT = frozenset({"requirements", "rank", "start", "preempt", "requiregpus", "requirefpgas"})
"""Attributes that speak about a partner: evaluated alone they would give a value that means nothing."""


def text(ad: Ad, name: str) -> str:
    """The attribute as text; empty when it is missing or undefined."""
    value = ad.get(name)
    return "" if value is None else str(value)


def whole(ad: Ad, name: str, missing: int = 0) -> int:
    """The attribute as a whole number; `missing` when it is absent or an expression without a value of its own."""
    value = ad.get(name)
    return int(value) if isinstance(value, int | float) else missing


def names(ad: Ad, name: str) -> tuple[str, ...]:
    """A comma-separated string attribute (AssignedGPUs, say) as its parts."""
    return tuple(part.strip() for part in text(ad, name).split(",") if part.strip())
