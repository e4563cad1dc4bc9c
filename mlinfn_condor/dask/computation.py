"""A computation whose result is known: the area under 4 / (1 + x²) from 0 to 1, which is π, in blocks.

The midpoint rule has a proven bound of its error, so a block that was lost, or counted twice when its worker was
displaced, cannot pass for rounding.
"""

import math
import os
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from distributed import Client


@dataclass(frozen=True)
class BlockSum:
    """One block's part of the area, and who computed it."""

    block: int
    area: float
    worker: str


@dataclass(frozen=True)
class Result:
    """What came of a computation."""

    area: float
    blocks: int
    steps: int
    """In all blocks together."""
    blocks_by_worker: dict[str, int]
    seconds: float

    @property
    def error(self) -> float:
        """Distance from π."""
        return abs(self.area - math.pi)

    @property
    def bound(self) -> float:
        """What the error of the midpoint rule cannot exceed: h²/24 times the largest second derivative, which is 8.

        Rounding adds at most one unit in the last place a block, for `math.fsum` rounds only once.
        """
        return 8 / 24 / self.steps**2 + (self.blocks + 1) * math.ulp(math.pi)

    @property
    def right(self) -> bool:
        """Whether every block was counted exactly once. Leaving out the smallest block costs more than the bound."""
        return self.error <= self.bound


def block_sum(block: int, blocks: int, steps: int, pause_seconds: float = 0.0, journal: str = "") -> BlockSum:
    """Part number `block` of the area, by `steps` steps. `pause_seconds` of waiting stand for a longer computation.

    Each time that it is computed to its end it is one more line, `block worker`, in the file `journal`.
    """
    width = 1 / (blocks * steps)
    xs = ((block * steps + step + 0.5) * width for step in range(steps))
    area = math.fsum(4 / (1 + x * x) for x in xs) * width
    time.sleep(pause_seconds)
    done = BlockSum(block, area, _worker_name())
    if journal:
        _note(journal, f"{block} {done.worker}\n")
    return done


def compute(
    client: "Client", *, blocks: int = 64, steps: int = 20_000, pause_seconds: float = 0.0, journal: str = ""
) -> Result:
    """Compute all blocks on whatever workers there are, and wait for them; with no worker it waits for one."""
    began = time.monotonic()
    how: dict[str, Any] = {"blocks": blocks, "steps": steps, "pause_seconds": pause_seconds, "journal": journal}
    futures = client.map(block_sum, range(blocks), **how, pure=False)
    sums: list[BlockSum] = client.gather(futures)  # type: ignore[no-untyped-call]
    return result_of(sums, steps, time.monotonic() - began)


def result_of(parts: list[BlockSum], steps: int, seconds: float) -> Result:
    """Put the blocks' parts together."""
    by_worker = Counter(part.worker for part in parts)
    return Result(math.fsum(part.area for part in parts), len(parts), len(parts) * steps, dict(by_worker), seconds)


def repeated(journal: str) -> int:
    """How many times a block was computed to its end although it had been before."""
    done = [line.split()[0] for line in Path(journal).read_text().splitlines()]
    return len(done) - len(set(done))


def _note(journal: str, line: str) -> None:
    # One write to a file that is opened for appending: lines of several workers do not mix.
    file = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)


def _worker_name() -> str:
    # Here, so that the closed form can be tested where Dask is not installed.
    from distributed import get_worker

    try:
        return str(get_worker().name)
    except ValueError:
        return "this process"
