"""The bench `dask`: 200 workers at once, and a computation whose workers are evicted, beside plain HTCondorCluster.

The pool has as many slots as there are workers, whatever cores the machine has. Case `join200` therefore has workers
that do not each start a Python of their own (`payloads/worker`): on a site that is done by 200 cores, here it would be
all that is measured. It is the same on both sides, and each of them is a real worker in a job of its own.
"""

from collections.abc import Collection, Iterator
from typing import Any

from mlinfn_condor.bench import dask_disturbed, dask_join
from mlinfn_condor.bench.dask_notebook import OURS, PLAIN
from mlinfn_condor.bench.dask_stand import Stand, stand
from mlinfn_condor.bench.figures import Beside, Case
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded.report import Report

NAME = "dask"
CASES = (dask_join.NAME, dask_disturbed.NAME)
BESIDE = "dask_jobqueue.HTCondorCluster with the shipped values"
SLOTS, WORKERS, SECONDS = 208, 20, 60
QUICK_SLOTS, QUICK_WORKERS, QUICK_SECONDS = 24, 6, 20


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    with stand(report, QUICK_SLOTS if quick else SLOTS) as ready:
        return told | {"cases": [case.as_json() for case in _measured(ready, report, cases, quick)]}


def _measured(ready: Stand, report: Report, cases: Collection[str], quick: bool) -> Iterator[Case]:
    if dask_join.NAME in cases:
        workers = 20 if quick else dask_join.WORKERS
        with report.step(f"{dask_join.NAME}: {workers} workers join, ours and plain"):
            ours, plain = (dask_join.measure(ready, kind, workers) for kind in (OURS, PLAIN))
        target = {**dask_join.TARGET, "joined": (">=", workers)}
        yield Case(dask_join.NAME, ours, target, Beside(BESIDE, plain))
    if dask_disturbed.NAME in cases:
        workers, seconds = (QUICK_WORKERS, QUICK_SECONDS) if quick else (WORKERS, SECONDS)
        with report.step(f"{dask_disturbed.NAME}: {workers} workers are evicted one by one, ours and plain"):
            ours, plain = (dask_disturbed.measure(ready, kind, workers, seconds) for kind in (OURS, PLAIN))
        yield Case(dask_disturbed.NAME, ours, dask_disturbed.TARGET, Beside(BESIDE, plain))
