"""Figures, what they must reach, and whether they do: pure, and the form in which a bench tells them."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

Figures = Mapping[str, float]
"""By name, which carries the unit: `median_s`, `p95_s`; counts have none."""
Target = Mapping[str, tuple[str, float]]
"""Bound per figure: `{"median_s": ("<=", 0.4)}`."""

_HOLDS = {"<=": lambda value, bound: value <= bound, ">=": lambda value, bound: value >= bound}


@dataclass(frozen=True)
class Measured:
    """What one side of a case gave: its figures, and the single values behind them for whoever wants to draw."""

    figures: Figures
    samples: Mapping[str, Sequence[float]] = field(default_factory=dict)
    failures: Sequence[str] = ()
    """What went wrong, in words; those who failed have no sample."""


@dataclass(frozen=True)
class Beside:
    """The same case with something else, in the same run."""

    name: str
    measured: Measured


@dataclass(frozen=True)
class Case:
    """One case of a bench."""

    name: str
    measured: Measured
    target: Target
    beside: Beside | None = None

    @property
    def holds(self) -> bool:
        """Whether every target is reached."""
        return holds(self.measured.figures, self.target)

    def as_json(self) -> dict[str, Any]:
        """As it stands in the bench's object."""
        told: dict[str, Any] = {
            "case": self.name,
            "figures": dict(self.measured.figures),
            "samples": {name: list(values) for name, values in self.measured.samples.items()},
            "target": {name: list(bound) for name, bound in self.target.items()},
            "holds": self.holds,
        }
        if self.measured.failures:
            told["failures"] = list(self.measured.failures)
        if self.beside:
            told["beside"] = {
                "name": self.beside.name,
                "figures": dict(self.beside.measured.figures),
                "samples": {name: list(values) for name, values in self.beside.measured.samples.items()},
            }
            if self.beside.measured.failures:
                told["beside"]["failures"] = list(self.beside.measured.failures)
        return told


def holds(figures: Figures, target: Target) -> bool:
    """Whether each figure that has a target reaches it; one that was not measured does not."""
    return all(name in figures and _HOLDS[relation](figures[name], bound) for name, (relation, bound) in target.items())


def distribution(seconds: Sequence[float]) -> dict[str, float]:
    """Median, 95 % and worst of some times (at least one), to the millisecond, and how many they were.

    95 % is the nearest rank: the smallest measured time that at least 95 % of them do not exceed.
    """
    ordered = sorted(seconds)
    p95 = ordered[math.ceil(0.95 * len(ordered)) - 1]
    named = {"median_s": median(ordered), "p95_s": p95, "worst_s": ordered[-1]}
    return {name: round(value, 3) for name, value in named.items()} | {"n": len(ordered)}


def starts(sample: str, seconds: Sequence[float], failures: Sequence[str]) -> Measured:
    """Starts that were tried: the distribution of those that came to something, and how many did not."""
    figures = (distribution(seconds) if seconds else {"n": 0}) | {"failed": len(failures)}
    return Measured(figures, {sample: [round(value, 3) for value in seconds]}, failures)
