"""Case `evictions`: 20 workers compute, one of them is evicted every 5 s, and the result is right all the same."""

import random
import time
from pathlib import Path
from typing import Any

from mlinfn_condor.bench.dask_stand import Stand
from mlinfn_condor.bench.figures import Measured, Target
from mlinfn_condor.dask.computation import repeated

NAME = "evictions"
TARGET: Target = {"wrong": ("<=", 0), "killed_worker": ("<=", 0), "repeated_beyond_running": ("<=", 0)}
SEED = 6
EVERY_SECONDS = 5
PATIENCE_SECONDS = 240
LONGER = 3
"""How many times as long as undisturbed it may take, before it is given up."""
PAUSE_SECONDS = 0.5
LOOK_SECONDS = 0.1


def measure(stand: Stand, kind: str, workers: int, seconds: float, every_seconds: float = EVERY_SECONDS) -> Measured:
    """Compute for about `seconds` on that many workers, undisturbed time; evict one every `every_seconds` meanwhile."""
    chosen, journal = random.Random(SEED), stand.folder / f"{kind}.journal"  # noqa: S311
    blocks = max(workers, int(seconds / PAUSE_SECONDS * workers))
    words = ["--blocks", str(blocks), "--pause", str(PAUSE_SECONDS), "--journal", str(journal)]
    evicted = 0
    with stand.notebook(kind, workers, PATIENCE_SECONDS, words) as notebook:
        joined = notebook.next(PATIENCE_SECONDS + 30)
        if "seconds" not in joined:
            return Measured({"joined": joined["joined"]}, {}, [f"only {joined['joined']} of {workers} workers joined"])
        due = time.monotonic() + every_seconds
        at_most = due + LONGER * seconds + PATIENCE_SECONDS
        while not notebook.said() and time.monotonic() < at_most:
            if time.monotonic() >= due:
                due += every_seconds
                running = stand.running()
                candidates = sorted(at_work(journal, workers) & running.keys())
                if len(candidates) > workers / 2:
                    stand.evict(running[chosen.choice(candidates)])
                    evicted += 1
            time.sleep(LOOK_SECONDS)
        return Measured(_figures(notebook.next(5), journal, evicted, blocks))


def at_work(journal: Path, workers: int) -> set[str]:
    """Workers that computed something lately. One that has just started has nothing to lose.

    When few are at work none is evicted: with nobody left, everything is lost by necessity.
    """
    lines = journal.read_text().splitlines() if journal.exists() else []
    return {line.split()[1] for line in lines[-2 * workers :]}


def _figures(told: dict[str, Any], journal: Path, evicted: int, blocks: int) -> dict[str, float]:
    again = repeated(str(journal))
    return {
        "wrong": int(not told["right"]),
        "killed_worker": told["killed_worker"],
        "evicted": evicted,
        "blocks": blocks,
        "repeated": again,
        # Each worker has one thread: what it was computing when it had to go is all that may be lost with it.
        "repeated_beyond_running": max(0, again - evicted),
        "seconds": round(told.get("seconds", 0), 1),
    }
