"""How long a kind of node that failed is left alone, by what went wrong: pure.

Invariants: a kind waits for its own failures only; the wait grows with each round that fails, up to its cap; a glidein
of the kind that was asked for after the failure and joined forgives all; until then one glidein at a time tries.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from mlinfn_condor.provisioning.nodes import Trouble
from mlinfn_condor.submission.phrases import plural, span


@dataclass(frozen=True)
class Failure:
    """A glidein that came to nothing. Times are epoch seconds."""

    name: str
    kind: str
    asked: float
    at: float
    trouble: Trouble
    detail: str = ""


@dataclass(frozen=True)
class Patience:
    """Seconds until the next try: `first` after one failed round, `factor` times more after each, `cap` at most."""

    first: float
    factor: float
    cap: float

    def seconds(self, rounds: int) -> float:
        """After so many rounds in a row (1 or more)."""
        wait = self.first
        for _ in range(1, rounds):
            if wait >= self.cap:
                break
            wait *= self.factor
        return min(wait, self.cap)


PATIENCE = {
    Trouble.IMAGE: Patience(60, 3, 3600),  # somebody has to push it, or to mend the registry
    Trouble.QUOTA: Patience(60, 1.5, 600),  # others leave at any time
    Trouble.NODE: Patience(10, 2, 300),  # another machine may well be sound
    Trouble.POOL: Patience(30, 2, 900),  # a collector that restarts, or a token to renew
    Trouble.STARTUP: Patience(60, 3, 3600),  # the same configuration fails in the same way
    Trouble.UNKNOWN: Patience(30, 2, 1800),
}

WORDS = {
    Trouble.IMAGE: "its image cannot be had",
    Trouble.QUOTA: "there is no room for it",
    Trouble.NODE: "the machine under it went away",
    Trouble.POOL: "it could not join the pool",
    Trouble.STARTUP: "it did not start as it should",
    Trouble.UNKNOWN: "it failed for an unknown cause",
}


@dataclass(frozen=True)
class Setback:
    """A kind that has failed and not yet been forgiven."""

    last: Failure
    rounds: int

    @property
    def until(self) -> float:
        """Epoch second from which it may be tried again."""
        return self.last.at + PATIENCE[self.last.trouble].seconds(self.rounds)

    def words(self, now: float) -> str:
        """`it failed 3 times, last because its image cannot be had (…); next try in 8 min`."""
        detail = f" ({self.last.detail})" if self.last.detail else ""
        then = f"next try in {span(self.until - now)}" if self.until > now else "it is tried again, one at a time"
        times = "" if self.rounds == 1 else f" {plural(self.rounds, 'time')}, last"
        return f"it failed{times} because {WORDS[self.last.trouble]}{detail}; {then}"


def setback(failures: Iterable[Failure], forgiven: float) -> Setback | None:
    """How a kind stands, given its failures and when the latest of its glideins that joined had been asked for.

    Glideins that were asked for together fail together: what was asked for before the failures of a round were known
    belongs to that round.
    """
    rounds, last = 0, None
    for failure in sorted(failures, key=lambda one: (one.at, one.name)):
        if failure.at < forgiven:
            continue
        if last is None or failure.asked >= last.at:
            rounds += 1
        last = failure
    return Setback(last, rounds) if last else None
