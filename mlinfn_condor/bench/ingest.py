"""The bench `ingest`: how fast a history is in the database, beside HTCondor's own programs that read the same file.

The history is made up from one real record's attributes (about 4.8 kB each), with other numbers, users and devices in
each. The database is a private one of the bench's own, with fsync as any other; all sides read a file that the kernel
has in its cache, if it fits. condor_adstash keeps a file in memory until it writes it: its case is smaller.
"""

import subprocess
import tempfile
import time
from collections.abc import Collection
from pathlib import Path
from typing import Any

from mlinfn_condor.accounting.recorder import Recorder
from mlinfn_condor.accounting.statements import SQL
from mlinfn_condor.bench import adstash
from mlinfn_condor.bench.database import database
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.history import write_history
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded import distribution
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.settings import Settings
from mlinfn_condor.store import connect, overview
from mlinfn_condor.store.local import RECORDER

NAME = "ingest"
EMPTY, AGAIN, ADSTASH = "empty", "again", "adstash"
CASES = (EMPTY, AGAIN, ADSTASH)
ROWS, QUICK_ROWS = 1_000_000, 20_000
ADSTASH_ROWS, ADSTASH_QUICK_ROWS = 50_000, 2_000
PEER = "condor_history -epochs -json > /dev/null"


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    done: list[Case] = []
    if {EMPTY, AGAIN} & set(cases):
        with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
            done += _measure(Path(folder), QUICK_ROWS if quick else ROWS, report)
    if ADSTASH in cases:
        with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
            done.append(_beside_adstash(Path(folder), ADSTASH_QUICK_ROWS if quick else ADSTASH_ROWS, report))
    return told | {"cases": [case.as_json() for case in done if case.name in cases]}


def _measure(folder: Path, rows: int, report: Report) -> list[Case]:
    spool = folder / "spool"
    spool.mkdir()
    with report.step(f"write a history of {rows:,} attempts", rows) as step:
        size = write_history(spool / "epoch_history", rows, step.advance)
    with (
        database(folder, report) as server,
        connect(server.dsn_as(RECORDER), autocommit=True) as connection,
    ):
        recorder = Recorder(connection, {"batch@": spool})
        with report.step(f"{EMPTY}: into the database"):
            empty, first = _timed(recorder)
        stored = overview.look(server.dsn).size_bytes
        with report.step(f"{EMPTY}: beside, condor_history prints it"):
            beside = _printed(spool / "epoch_history")
        with report.step(f"{AGAIN}: the same once more"):
            again, second = _timed(recorder)
        with report.step(f"{AGAIN}: the same with its place in the file forgotten"):
            connection.execute(SQL.text("forget_cursors"))
            forgotten, third = _timed(recorder)
    ours = {
        "rows": empty,
        "seconds": round(first, 2),
        "rows_per_s": round(empty / first),
        "mb_per_s": round(size / first / 1e6, 1),
        "database_mb_per_million": round(stored / empty, 1),
    }
    target: Target = {"rows": (">=", rows)} | ({"seconds": ("<=", round(beside, 2))} if beside is not None else {})
    repeated = {
        "changed_rows": again,
        "seconds": round(second, 4),
        "changed_rows_forgotten": forgotten,
        "seconds_forgotten": round(third, 2),
    }
    peer = Beside(PEER, Measured({"seconds": round(beside, 2)})) if beside is not None else None
    unchanged: Target = {
        "changed_rows": ("<=", 0),
        "changed_rows_forgotten": ("<=", 0),
        "seconds": ("<=", round(first / 10, 2)),
    }
    return [Case(EMPTY, Measured(ours), target, peer), Case(AGAIN, Measured(repeated), unchanged, None)]


def _beside_adstash(folder: Path, rows: int, report: Report) -> Case:
    spool = folder / "spool"
    spool.mkdir()
    with report.step(f"{ADSTASH}: write a history of {rows:,} attempts", rows) as step:
        write_history(spool / "epoch_history", rows, step.advance)
    with report.step(f"{ADSTASH}: beside, condor_adstash writes it as JSON"):
        beside = adstash.written(spool / "epoch_history", folder / "json")
    with (
        database(folder, report) as server,
        connect(server.dsn_as(RECORDER), autocommit=True) as connection,
        report.step(f"{ADSTASH}: into the database"),
    ):
        stored, seconds = _timed(Recorder(connection, {"batch@": spool}))
    ours = {"rows": stored, "seconds": round(seconds, 2), "rows_per_s": round(stored / seconds)}
    peer = beside.measured.figures
    target: Target = {"rows": (">=", rows)} | (
        {"rows_per_s": (">=", peer["rows_per_s"])} if "rows_per_s" in peer else {}
    )
    return Case(ADSTASH, Measured(ours), target, beside)


def _timed(recorder: Recorder) -> tuple[int, float]:
    began = time.perf_counter()
    recorded = recorder.read_all()
    return recorded.rows, time.perf_counter() - began


def _printed(history: Path) -> float | None:
    """Seconds in which HTCondor's own reader prints it; None where there is no HTCondor."""
    installed = distribution.find(Settings())
    if installed is None:
        return None
    command = [str(installed.bin / "condor_history"), "-epochs", "-search", str(history), "-json"]
    began = time.perf_counter()
    subprocess.run(
        command, check=True, stdout=subprocess.DEVNULL, env={"CONDOR_CONFIG": "ONLY_ENV", "PATH": "/usr/bin:/bin"}
    )
    return time.perf_counter() - began
