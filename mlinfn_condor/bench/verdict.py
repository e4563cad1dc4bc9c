"""What went wrong in many hand-overs: a pure judgement of what the payloads wrote down.

Every count can come out above 0: tests/unit/test_bench_verdict.py makes up a journal with each fault.
"""

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import asdict, dataclass
from itertools import pairwise

from mlinfn_condor.bench.journal import Attempt
from mlinfn_condor.classes import PriorityClass

ORDER = list(PriorityClass)
"""From the highest precedence to the lowest."""


@dataclass(frozen=True)
class Verdict:
    """Counts over a whole run."""

    n: int
    """Hand-overs: a payload was asked to leave, and its device went to one of a higher class."""
    to_sessions: int
    to_dask: int
    double_use: int
    """Attempts that computed on a device while another payload did."""
    wasted_evictions: int
    """Payloads that were asked to leave while nobody of a higher class got their device next."""
    lost: int
    """Jobs that are gone from the queue and never computed to the end."""
    repeated: int
    """Jobs that computed to the end more than once."""
    killed: int
    """Attempts that ended without having been asked to leave, though their job was started again."""
    late_evictions: int
    """Attempts that finished in the moment of their eviction; HTCondor started them again, with nothing left to do."""
    completed: int
    """Jobs that computed to the end."""

    def figures(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


def judge(attempts: Collection[Attempt], submitted: Collection[str], queued: Collection[str]) -> Verdict:
    """The verdict on these attempts of the jobs that were `submitted`, of which `queued` were in a queue afterwards.

    The queue must have been read before the journal: a job that finished in between is then in both, not in neither.
    """
    heirs = [(victim, _heir(line, place)) for line in _lines(attempts) for place, victim in enumerate(line)]
    evicted = [(victim, heir) for victim, heir in heirs if victim.asked is not None]
    served = [heir for victim, heir in evicted if heir and _above(heir, victim)]
    finishes = Counter(attempt.job for attempt in attempts if attempt.finished)
    return Verdict(
        n=len(served),
        to_sessions=sum(heir.priority_class is PriorityClass.INTERACTIVE for heir in served),
        to_dask=sum(heir.priority_class is PriorityClass.DASK for heir in served),
        double_use=_double_uses(attempts),
        wasted_evictions=len(evicted) - len(served),
        lost=sum(job not in finishes and job not in queued for job in submitted),
        repeated=sum(times > 1 for times in finishes.values()),
        killed=sum(not earlier.over and earlier.asked is None for earlier, _ in _restarts(attempts)),
        late_evictions=sum(attempt.found_finished for attempt in attempts),
        completed=len(finishes),
    )


def _lines(attempts: Iterable[Attempt]) -> Iterable[list[Attempt]]:
    """Who stood in line at each device, in the order in which they got it."""
    lines: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        for device in attempt.devices:
            lines.setdefault(device, []).append(attempt)
    for line in lines.values():
        line.sort(key=lambda attempt: attempt.computing or attempt.started)
    return lines.values()


def _heir(line: list[Attempt], place: int) -> Attempt | None:
    """Who computed next on the device; those who only waited for it and went again did not get it."""
    return next((attempt for attempt in line[place + 1 :] if attempt.computing), None)


def _above(heir: Attempt, victim: Attempt) -> bool:
    return ORDER.index(heir.priority_class) < ORDER.index(victim.priority_class)


def _double_uses(attempts: Iterable[Attempt]) -> int:
    """By the lock that each payload takes, and once more by the clock, for those that told when they ended."""
    met = {attempt for attempt in attempts if attempt.met_another}
    for line in _lines(attempts):
        computed = [attempt for attempt in line if attempt.computing]
        for earlier, later in pairwise(computed):
            if earlier.ended is not None and later.computing is not None and later.computing < earlier.ended:
                met.add(later)
    return len(met)


def _restarts(attempts: Iterable[Attempt]) -> Iterable[tuple[Attempt, Attempt]]:
    by_job: dict[str, list[Attempt]] = {}
    for attempt in attempts:
        by_job.setdefault(attempt.job, []).append(attempt)
    for of_job in by_job.values():
        yield from pairwise(sorted(of_job, key=lambda attempt: attempt.started))
