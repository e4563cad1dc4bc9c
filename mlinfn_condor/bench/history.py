"""A made-up epoch history: the attributes of a real record (HTCondor 25.14), other numbers in each."""

import random
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path

FIRST = 1_764_547_200
"""2025-12-01, seconds of the epoch."""
YEAR_SECONDS = 31_536_000
USERS, PROJECTS, NODES, DEVICES = 40, 6, 2, 8
SEED = 20261124
DISPLACED = 'VacateReason = "PREEMPT expression evaluated to True"\nVacateReasonCode = 1011\n'
_TOLD_EVERY = 10_000


def write_history(path: Path, records: int, told: Callable[[int], None]) -> int:
    """Write so many attempts over one year; the file's size in bytes. The same for the same number."""
    dice = random.Random(SEED)  # noqa: S311
    template = (files("mlinfn_condor.bench") / "payloads" / "attempt.ad").read_text()
    with path.open("w") as stream:
        for number in range(records):
            start = FIRST + number * YEAR_SECONDS // records
            length = dice.randint(5, 900)
            user = f"user{dice.randrange(USERS)}"
            displaced = dice.random() < 0.2
            cluster, proc, end = number // 16 + 1, number % 16, start + length
            stream.write(
                template.format(
                    cluster=cluster, proc=proc, user=user, project=f"project{dice.randrange(PROJECTS)}",
                    submitted=start - 20, start=start, end=end, length=length,
                    node=f"server{number % NODES}", device=f"GPU-{number % NODES}-{number // NODES % DEVICES}",
                    cpus_used=f"{dice.random():.6f}", memory_kb=dice.randint(10_000, 9_000_000),
                    busy=f"{dice.random():.4f}", watts=f"{dice.uniform(30, 250):.1f}",
                    vacated=DISPLACED if displaced else "",
                )
            )  # fmt: skip
            if number % _TOLD_EVERY == _TOLD_EVERY - 1:
                told(_TOLD_EVERY)
    return path.stat().st_size
