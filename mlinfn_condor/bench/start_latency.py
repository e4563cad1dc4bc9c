"""The bench `start-latency`: how soon a session starts on a pool whose GPUs are all busy, and what goes wrong.

Ours and HTCondor's defaults in one run, one after another, each on a fresh pool of its own. Nothing else may run on the
machine meanwhile: what it takes is part of every figure.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mlinfn_condor.bench import beside, burst, full_window, handovers, single
from mlinfn_condor.bench.figures import Beside, Case, Measured
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.stand import LASTING, home, stand
from mlinfn_condor.embedded.report import Report

NAME = "start-latency"
CASES = (single.NAME, burst.NAME, full_window.NAME, handovers.NAME)


@dataclass(frozen=True)
class Extent:
    """How often each case is repeated."""

    singles: int = 20
    bursts: int = 5
    full_windows: int = 5
    handovers: int = handovers.WANTED
    beside_singles: int = 3
    beside_bursts: int = 1
    period_seconds: float = 2
    """Our slowest clock between a submit and a start: MLINFN_NEGOTIATION_SECONDS."""
    beside_period_seconds: float = 300
    """The default's: SCHEDD_INTERVAL."""
    bound_seconds: float = 300
    """Longest wait for one session."""


FULL = Extent()
QUICK = Extent(
    singles=4,
    bursts=1,
    full_windows=1,
    handovers=20,
    beside_singles=1,
    beside_bursts=0,
    beside_period_seconds=0,
    bound_seconds=30,
)
"""A look within minutes; HTCondor's defaults are then hardly ever waited for until they serve."""


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    extent = QUICK if quick else FULL
    with home() as folder:
        return told | {"cases": [case.as_json() for case in _measured(folder, report, cases, extent)]}


def _measured(folder: Path, report: Report, cases: Collection[str], extent: Extent) -> Iterator[Case]:
    ours: dict[str, Measured] = {}
    if {single.NAME, burst.NAME, full_window.NAME} & set(cases):
        with stand(folder, report, LASTING) as full:
            if single.NAME in cases:
                ours[single.NAME] = single.measure(
                    full, extent.singles, report, extent.period_seconds, extent.bound_seconds
                )
            if burst.NAME in cases:
                ours[burst.NAME] = burst.measure(
                    full, extent.bursts, report, extent.period_seconds, extent.bound_seconds
                )
            if full_window.NAME in cases:
                yield full_window.case(full_window.measure(full, extent.full_windows, report))
    if handovers.NAME in cases:
        with stand(folder, report, handovers.LOAD) as full:
            yield handovers.case(handovers.measure(full, extent.handovers, report), extent.handovers)
    if ours:
        theirs = _beside(folder, report, ours.keys(), extent)
        if single.NAME in ours:
            yield single.case(ours[single.NAME], theirs.get(single.NAME))
        if burst.NAME in ours:
            yield burst.case(ours[burst.NAME], theirs.get(burst.NAME))


def _beside(folder: Path, report: Report, cases: Collection[str], extent: Extent) -> dict[str, Beside]:
    """HTCondor's defaults on those cases; one that is not repeated there at all is left out."""
    repeats = {single.NAME: extent.beside_singles, burst.NAME: extent.beside_bursts}
    wanted = [case for case in cases if repeats[case]]
    if not wanted:
        return {}
    theirs: dict[str, Beside] = {}
    with stand(folder, report, LASTING, beside.OVERRIDES, beside.ACCESS_POINT) as full:
        for case in wanted:
            measure = single.measure if case == single.NAME else burst.measure
            measured = measure(full, repeats[case], report, extent.beside_period_seconds, extent.bound_seconds)
            theirs[case] = Beside(beside.NAME, measured)
    return theirs
