"""The bench `reports`: how long each answer, and a scrape, takes over a year of a busy site, where the database is."""

import tempfile
import time
from collections.abc import Collection
from datetime import timedelta
from pathlib import Path
from statistics import median
from typing import Any

from mlinfn_condor.accounting import reports
from mlinfn_condor.accounting.metrics.recorded import RecordedFigures
from mlinfn_condor.bench import year
from mlinfn_condor.bench.database import database
from mlinfn_condor.bench.figures import Case, Measured, Target
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.store import connect

NAME = "reports"
SCRAPE = "scrape"
CASES = (*reports.NAMES, SCRAPE)
ATTEMPTS, QUICK_ATTEMPTS = 10_000_000, 100_000
REPEATS = 7
FRESH_SECONDS = 300
TARGET: Target = {"median_s": ("<=", 1)}
SCRAPE_TARGET: Target = {"median_s": ("<=", 0.5)}


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    about = opening(NAME, CASES, cases, quick=quick)
    with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder, database(Path(folder), report) as server:
        told = _measure(server.dsn, report, cases, QUICK_ATTEMPTS if quick else ATTEMPTS)
    return about | {"cases": [case.as_json() for case in told]}


def _measure(dsn: str, report: Report, cases: Collection[str], attempts: int) -> list[Case]:
    with connect(dsn, autocommit=True) as connection:
        year.fill(connection, attempts, report)
        size = connection.execute(year.SQL.text("measure_sizes"))
        attempt_mb, sample_mb, sums_mb = (float(figure) for figure in size.fetchone() or (0, 0, 0))
    stored = {
        "attempts": attempts,
        "attempts_mb_per_million": round(attempt_mb / attempts * 1e6, 1),
        "samples_mb": round(sample_mb),
        "sums_mb": round(sums_mb),
    }
    # The year itself, whose days are all added up; and eleven months that begin and end within a day.
    whole = reports.Period(year.FIRST, year.FIRST + timedelta(days=year.DAYS))
    cut = reports.Period(year.FIRST + timedelta(days=15, hours=7), year.FIRST + timedelta(days=350, hours=17))
    done = []
    for name in (each for each in cases if each != SCRAPE):
        with report.step(f"{name}: {REPEATS} times"):
            times = [_seconds(dsn, name, whole) for _ in range(REPEATS)]
            odd = [_seconds(dsn, name, cut) for _ in range(REPEATS)]
        figures = {
            "median_s": round(median(times), 3),
            "worst_s": round(max(times), 3),
            "cut_days_median_s": round(median(odd), 3),
        }
        done.append(Case(name, Measured(figures | stored), TARGET, None))
    if SCRAPE in cases:
        with report.step(f"{SCRAPE}: {REPEATS} times after the first"):
            done.append(Case(SCRAPE, Measured(_scrape(dsn) | stored), SCRAPE_TARGET, None))
    return done


def _scrape(dsn: str) -> dict[str, float]:
    """Looks of the endpoint at the end of the last day: the first, which reads the whole year, and later ones."""
    moment = year.FIRST + timedelta(days=year.DAYS, seconds=-1)
    recorded = RecordedFigures(lambda: dsn, FRESH_SECONDS, lambda: moment)
    times = []
    for _ in range(1 + REPEATS):
        began = time.perf_counter()
        recorded.look()
        times.append(time.perf_counter() - began)
    recorded.close()
    return {
        "median_s": round(median(times[1:]), 3),
        "worst_s": round(max(times[1:]), 3),
        "first_s": round(times[0], 3),
    }


def _seconds(dsn: str, name: str, period: reports.Period) -> float:
    """Of a person's whole question: connect, ask, have the rows."""
    began = time.perf_counter()
    with connect(dsn) as connection:
        reports.answer(connection, name, period)
    return time.perf_counter() - began
