"""The bench `plan`: what a plan costs on the largest pool, and what a week of plans wastes."""

from collections.abc import Collection
from typing import Any

from mlinfn_condor.bench import plan_largest, plan_week
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded.report import Report

NAME = "plan"
_MEASURES = {plan_largest.NAME: plan_largest.measure, plan_week.NAME: plan_week.measure}
CASES = tuple(_MEASURES)


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    done = [measure(report, quick=quick) for name, measure in _MEASURES.items() if name in cases]
    return told | {"cases": [case.as_json() for case in done]}
