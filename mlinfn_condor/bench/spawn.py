"""The bench `spawn`: from a person's click to a JupyterLab that can be used, and what many sessions cost the hub."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlinfn_condor.bench import spawn_batchspawner, spawn_browser, spawn_crowd, spawn_polling
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.bench.spawn_stand import Plan, hub_stand
from mlinfn_condor.bench.stand import GPUS, home
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.errors import UserError

NAME = "spawn"
CASES = (spawn_browser.FREE, spawn_browser.FULL, spawn_polling.NAME, spawn_crowd.NAME)
TARGETS: dict[str, Target] = {
    **spawn_browser.TARGETS,
    spawn_polling.NAME: spawn_polling.TARGET,
    spawn_crowd.NAME: spawn_crowd.TARGET,
}
PEOPLE = 20


@dataclass(frozen=True)
class Extent:
    """How often, and how long."""

    clicks: int = 20
    polling_seconds: float = 300
    """JupyterHub and its servers do something every 300 s at the rarest: all of it is in there once."""
    crowds: int = 3
    beside_clicks: int = 3


EVERYTHING = Extent()
QUICK = Extent(clicks=5, polling_seconds=60, crowds=1, beside_clicks=1)


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    with home() as folder:
        measured = _measured(folder, report, cases, QUICK if quick else EVERYTHING)
        return told | {"cases": [case.as_json() for case in measured]}


def _measured(folder: Path, report: Report, cases: Collection[str], extent: Extent) -> Iterator[Case]:
    for name in CASES:
        if name in cases:
            try:
                yield _case(folder, report, name, extent)
            except UserError:
                raise
            except Exception as error:  # whatever it was: the figures of the others are none the worse
                yield Case(name, _failed(error), TARGETS[name])


def _case(folder: Path, report: Report, name: str, extent: Extent) -> Case:
    if name == spawn_polling.NAME:
        with hub_stand(folder, report, spawn_polling.PLAN) as stand:
            return spawn_polling.case(spawn_polling.measure(stand, extent.polling_seconds))
    if name == spawn_crowd.NAME:
        with hub_stand(folder, report, spawn_crowd.PLAN) as stand:
            return spawn_crowd.case(spawn_crowd.measure(stand, extent.crowds))
    plan = Plan(people=PEOPLE, batch=len(GPUS) if name == spawn_browser.FULL else 0)
    with hub_stand(folder, report, plan) as stand:
        ours = spawn_browser.measure(stand, extent.clicks, name)
    return spawn_browser.case(name, ours, _beside(folder, report, name, plan, extent.beside_clicks))


def _beside(folder: Path, report: Report, name: str, plan: Plan, clicks: int) -> Beside:
    try:
        with hub_stand(folder, report, replace(plan, overrides=spawn_batchspawner.OVERRIDES)) as stand:
            return spawn_batchspawner.measure(stand, clicks, name)
    except UserError:
        raise
    except Exception as error:  # ours were measured all the same
        return Beside(spawn_batchspawner.NAME, _failed(error))


def _failed(error: Exception) -> Measured:
    return Measured({}, failures=[f"{type(error).__name__}: {error}"])
