"""A week of a mixed load: sessions by day, Dask in bursts, batch in the evening and through the night.

Made up, by the numbers below and a seed: no log of a site is behind them. Arrivals are a Poisson process within the
hours of each stream, times of work are log-normal. The jobs of one submission ask for the same; submissions hardly ever
do, for people state what they think they need.
"""

import math
import random
from dataclasses import dataclass

from mlinfn_condor.bench.made_up import Work
from mlinfn_condor.classes import PriorityClass

DAY = 86_400
SEED = 5


@dataclass(frozen=True)
class Stream:
    """Submissions of one sort."""

    priority_class: PriorityClass
    a_day: float
    """Submissions from Monday to Friday."""
    weekend: float
    """The same on Saturday and Sunday, as a part of those."""
    hours: tuple[float, float]
    jobs: tuple[int, int]
    """In one submission: at least, at most."""
    median_minutes: float
    spread: float
    """Sigma of the logarithm of the minutes."""
    wishes: tuple[tuple[float, int, str], ...]
    """Weight, devices and model ("": any)."""
    cpus: tuple[int, ...]
    memory_mb: tuple[int, int]
    """In steps of 128."""


STREAMS = (
    Stream(
        PriorityClass.INTERACTIVE,
        a_day=70,
        weekend=0.2,
        hours=(8, 19),
        jobs=(1, 1),
        median_minutes=90,
        spread=0.8,
        wishes=((45, 1, "T4"), (15, 1, "A100"), (40, 0, "")),
        cpus=(1, 2, 4),
        memory_mb=(2048, 16_384),
    ),
    Stream(
        PriorityClass.DASK,
        a_day=12,
        weekend=0.1,
        hours=(9, 19),
        jobs=(6, 16),
        median_minutes=12,
        spread=0.6,
        wishes=((50, 0, ""), (50, 1, "T4")),
        cpus=(1, 2, 4),
        memory_mb=(2048, 8192),
    ),
    Stream(
        PriorityClass.BATCH,
        a_day=10,
        weekend=0.7,
        hours=(16, 24),
        jobs=(15, 60),
        median_minutes=35,
        spread=0.7,
        wishes=((40, 1, "T4"), (15, 1, "A100"), (15, 1, ""), (30, 0, "")),
        cpus=(1, 2, 3, 4, 6),
        memory_mb=(1024, 24_576),
    ),
    Stream(
        PriorityClass.BATCH,
        a_day=30,
        weekend=0.5,
        hours=(0, 24),
        jobs=(1, 2),
        median_minutes=25,
        spread=1.0,
        wishes=((50, 1, "T4"), (20, 1, "A100"), (30, 0, "")),
        cpus=(1, 2, 4, 6),
        memory_mb=(1024, 24_576),
    ),
)


def week(days: int = 7, seed: int = SEED) -> list[Work]:
    """All jobs, in the order of their arrival; second 0 is Monday, 0:00."""
    chance = random.Random(seed)  # noqa: S311 - nothing to keep secret
    found: list[Work] = []
    for stream in STREAMS:
        for day in range(days):
            rate = stream.a_day * (stream.weekend if day % 7 >= 5 else 1)
            first, last = (hour * 3600 for hour in stream.hours)
            moment = first + chance.expovariate(rate / (last - first))
            while moment < last:
                found += _submission(stream, day * DAY + moment, chance)
                moment += chance.expovariate(rate / (last - first))
    found.sort(key=lambda work: work.arrives)
    for number, work in enumerate(found, 1):
        work.number = number
    return found


def _submission(stream: Stream, moment: float, chance: random.Random) -> list[Work]:
    _, devices, model = chance.choices(stream.wishes, [weight for weight, _, _ in stream.wishes])[0]
    cpus = chance.choice(stream.cpus)
    memory_mb = chance.randrange(stream.memory_mb[0], stream.memory_mb[1] + 1, 128)
    project = chance.choice(("alpha", "beta", "gamma"))
    return [
        Work(
            number=0,
            priority_class=stream.priority_class,
            project=project,
            cpus=cpus,
            memory_mb=memory_mb,
            devices=devices,
            model=model,
            arrives=moment,
            left=60 * chance.lognormvariate(math.log(stream.median_minutes), stream.spread),
        )
        for _ in range(chance.randint(*stream.jobs))
    ]
