"""The bench `ingestion`: instruments' rows through the front end, hostile requests, and from new rows to a job.

The database is a private one of the bench's own, with fsync as any other; the front end is a process, and so are two
clients, who send prepared bulks of 1,000 rows one after the other, each with a token that the front end checks.
"""

import json
import multiprocessing
import tempfile
import time
from collections import Counter
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import Any

import urllib3

from mlinfn_condor.bench import ingestion_trigger
from mlinfn_condor.bench.census import SQL, census, differences
from mlinfn_condor.bench.database import database
from mlinfn_condor.bench.figures import Beside, Case, Measured, Target
from mlinfn_condor.bench.hostile import attacks, sent
from mlinfn_condor.bench.ingestion_rows import readings
from mlinfn_condor.bench.instruments import declared, provider, serving, site_file
from mlinfn_condor.bench.opening import opening
from mlinfn_condor.embedded.report import Report
from mlinfn_condor.store import connect
from mlinfn_condor.store.local import REST

NAME = "ingestion"
BULK, HOSTILE, TRIGGER = "bulk", "hostile", "trigger"
CASES = (BULK, HOSTILE, TRIGGER)
ROWS, QUICK_ROWS = 400_000, 40_000
ROWS_IN_A_BULK = 1000
CLIENTS = 2
ANSWER_SECONDS = 60.0
CREATED = 201
TARGETS: dict[str, Target] = {
    BULK: {"rows_per_s": (">=", 10_000)},
    HOSTILE: {"tried": (">=", 500), "written": ("<=", 0), "wrongly_answered": ("<=", 0)},
}


def run(report: Report, cases: Collection[str] = CASES, *, quick: bool = False) -> dict[str, Any]:
    """Measure, and tell it as the bench's object. Raises UserError for a case that there is not."""
    told = opening(NAME, CASES, cases, quick=quick)
    done: list[Case] = []
    if {BULK, HOSTILE} & set(cases):
        with tempfile.TemporaryDirectory(prefix="mlinfn-") as folder:
            done += _front(Path(folder), cases, QUICK_ROWS if quick else ROWS, report)
    if TRIGGER in cases:
        done.append(ingestion_trigger.measure(report, quick=quick))
    return told | {"cases": [case.as_json() for case in done]}


def _front(folder: Path, cases: Collection[str], rows: int, report: Report) -> list[Case]:
    found = []
    with provider() as tokens, database(folder, report) as server:
        file = site_file(folder, tokens.issuer)
        declared(server.dsn, file)
        with serving(file, server.dsn_as(REST)) as front:
            if BULK in cases:
                found.append(_bulk(front.address, server.dsn, tokens.token("radon-stations"), rows, report))
            if HOSTILE in cases:
                with connect(server.dsn, autocommit=True) as owner, report.step(f"{HOSTILE}: requests") as step:
                    before, wrong = census(owner), []
                    tried = attacks(tokens)
                    statuses: Counter[int] = Counter()
                    for attack in tried:
                        status = sent(front.address, attack)
                        statuses[status] += 1
                        if status not in attack.refused:
                            wrong.append(f"{attack.name}: {status}")
                        step.advance(1)
                    changed = differences(before, census(owner))
                figures = {"tried": len(tried), "written": len(changed), "wrongly_answered": len(wrong)}
                figures |= {f"answered_{status}": count for status, count in sorted(statuses.items())}
                found.append(Case(HOSTILE, Measured(figures, {}, wrong + changed), TARGETS[HOSTILE]))
    return found


def _bulk(address: str, dsn: str, token: str, rows: int, report: Report) -> Case:
    each = rows // CLIENTS
    with report.step(f"{BULK}: {rows:,} rows by {CLIENTS} clients"):
        start = multiprocessing.get_context("spawn").Barrier(CLIENTS + 1)
        clients = [
            multiprocessing.get_context("spawn").Process(target=post, args=(address, token, number, each, start))
            for number in range(CLIENTS)
        ]
        for client in clients:
            client.start()
        start.wait()
        began = time.perf_counter()
        for client in clients:
            client.join()
        seconds = time.perf_counter() - began
    with connect(dsn, autocommit=True) as owner:
        written = (owner.execute(SQL.text("count_readings")).fetchone() or (0,))[0]
        with report.step(f"{BULK}: beside, the same rows given to PostgreSQL directly"):
            texts = [json.dumps(bulk) for bulk in bulks(CLIENTS, each)] * CLIENTS
            owner.execute(SQL.text("make_plain_readings"))
            began = time.perf_counter()
            for text in texts:
                owner.execute(SQL.text("insert_readings"), {"rows": text})
            beside = time.perf_counter() - began
    failures = [f"{rows - written} rows are missing"] if written != rows else []
    figures = {"rows": written, "seconds": round(seconds, 2), "rows_per_s": round(written / seconds)}
    plain = {"rows_per_s": round(each * CLIENTS / beside)}
    peer = Beside("one connection inserts the same JSON into a table without key and policies", Measured(plain))
    return Case(BULK, Measured(figures, {}, failures), TARGETS[BULK], peer)


def bulks(station: int, rows: int) -> list[list[dict[str, object]]]:
    """Readings of one station, in bulks."""
    made = readings(station, rows)
    return [made[begin : begin + ROWS_IN_A_BULK] for begin in range(0, rows, ROWS_IN_A_BULK)]


def post(address: str, token: str, station: int, rows: int, start: Any) -> None:
    """One client, in a process of its own: its bodies are ready before the clock runs."""
    bodies: Sequence[bytes] = [json.dumps(bulk).encode() for bulk in bulks(station, rows)]
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    with urllib3.PoolManager(timeout=ANSWER_SECONDS, retries=False) as http:
        start.wait()
        for body in bodies:
            answer = http.request("POST", f"{address}/reading", body=body, headers=headers)
            if answer.status != CREATED:
                raise SystemExit(f"status {answer.status}: {answer.data[:200]!r}")
