"""What somebody asked for in his last runs, and what he used of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from math import ceil
from statistics import mean

from mlinfn_condor.accounting.reports.sizes import whole_memory_mb
from mlinfn_condor.store import Connection, Statements
from mlinfn_condor.store.connection import told_in_one_line

SQL = Statements("mlinfn_condor.web")
RUNS = 10
HALF = 0.5
"""Who uses less than this part of what he asked for is told."""


@dataclass(frozen=True)
class Run:
    """One attempt that ended. None: not measured. Memory in MiB."""

    job: str
    priority_class: str
    ended_at: datetime
    outcome: str
    cpus_asked: float | None
    cpus_used: float | None
    memory_asked_mb: int | None
    memory_peak_mb: int | None
    devices: int
    devices_busy: float | None


def last_runs(connection: Connection, user: str) -> list[Run]:
    """The latest first. Raises StoreError."""
    asked = {"user": user, "now": datetime.now(UTC), "most": RUNS}
    with told_in_one_line("last runs"):
        return [Run(*row) for row in connection.execute(SQL.text("last_runs"), asked).fetchall()]


def advice(runs: Sequence[Run]) -> list[str]:
    """`You asked for 16 CPUs; your last ten runs used 3`: sentences, for what was measured. Pure."""
    told = []
    cpus = [(one.cpus_asked, one.cpus_used) for one in runs if one.cpus_asked is not None and one.cpus_used is not None]
    if cpus:
        asked, used = max(pair[0] for pair in cpus), mean(pair[1] for pair in cpus)
        enough = max(1, ceil(max(pair[1] for pair in cpus) - 1e-6))
        hint = f"; {enough} would have been enough for each of them" if used < HALF * asked and enough < asked else ""
        told.append(f"You asked for {asked:g} CPUs; {_runs(len(cpus))} used {used:.1f} on average{hint}.")
    memory = [
        (one.memory_asked_mb, one.memory_peak_mb)
        for one in runs
        if one.memory_asked_mb and one.memory_peak_mb is not None
    ]
    if memory:
        wanted, peak = max(pair[0] for pair in memory), max(pair[1] for pair in memory)
        enough = whole_memory_mb(peak)
        hint = f"; {enough} MB would have been enough" if peak < HALF * wanted and enough < wanted else ""
        told.append(f"You asked for {wanted} MB of memory; {_runs(len(memory))} took {peak} MB at most{hint}.")
    return told


def _runs(count: int) -> str:
    words = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")
    return "your last run" if count == 1 else f"your last {words[count] if count < len(words) else count} runs"
