"""What a scrape is told: the metrics of each source that answers, and which of them do."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from dataclasses import dataclass
from functools import partial

from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from mlinfn_condor import __version__
from mlinfn_condor.accounting.metrics import shown
from mlinfn_condor.accounting.metrics.families import Gauge
from mlinfn_condor.accounting.metrics.pool_thread import PoolFromThreads
from mlinfn_condor.accounting.metrics.recorded import RecordedFigures
from mlinfn_condor.accounting.metrics.snapshot import Shared
from mlinfn_condor.accounting.settings import AccountingSettings
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.store import Error

UP = Gauge("mlinfn_up", "1: the source answered; 0: it did not, and its metrics are absent.", ("source",))
TOOK = Gauge("mlinfn_snapshot_duration_seconds", "How long the source took to answer.", ("source",))
TAKEN = Gauge("mlinfn_snapshot_timestamp_seconds", "When the source was asked.", ("source",))
BUILD = Gauge("mlinfn_build_info", "1, with the version of this program.", ("version",))


@dataclass(frozen=True)
class Seen:
    """One look at a source: its metrics, when it was asked, how long it took."""

    metrics: tuple[Metric, ...]
    at: float
    seconds: float


class SourceAway(Exception):
    """It did not answer. Raised through `Shared`, so that it is asked again by the next scrape."""


class Exporter(Collector):
    """Of named sources, each a function that gives its metrics or raises what a person can act on."""

    def __init__(
        self,
        sources: Mapping[str, Callable[[], Iterable[Metric]]],
        keep_seconds: float,
        patience_seconds: float,
        say: Callable[[str], None] = lambda text: print(text, file=sys.stderr, flush=True),  # noqa: T201
    ) -> None:
        self._say = say
        self._patience = patience_seconds
        self._trouble: dict[str, str] = {}
        self._sources = {name: Shared(partial(self._look, name, look), keep_seconds) for name, look in sources.items()}

    def describe(self) -> Iterator[Metric]:
        """Nothing: a registry that was told of no metrics does not scrape to learn them."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        """Each source as it was within the last seconds."""
        deadline = time.monotonic() + self._patience
        asked = {name: source.ask() for name, source in self._sources.items()}
        seen = {name: _answer(future, deadline) for name, future in asked.items()}
        yield BUILD.of([((__version__,), 1)])
        yield UP.of(((name,), each is not None) for name, each in seen.items())
        there = {name: each for name, each in seen.items() if each is not None}
        yield TAKEN.of(((name,), each.at) for name, each in there.items())
        yield TOOK.of(((name,), each.seconds) for name, each in there.items())
        for each in there.values():
            yield from each.metrics

    def _look(self, name: str, look: Callable[[], Iterable[Metric]]) -> Seen:
        at, began = time.time(), time.perf_counter()
        try:
            metrics = tuple(look())
        except (MlinfnError, Error, OSError) as error:
            text = " ".join(str(error).split())
            if self._trouble.get(name) != text:
                self._say(f"metrics: no {name}, trying again: {text}")
            self._trouble[name] = text
            raise SourceAway(name) from error
        if self._trouble.pop(name, None):
            self._say(f"metrics: {name} is there again")
        return Seen(metrics, at, time.perf_counter() - began)


def _answer(asked: "Future[Seen]", deadline: float) -> Seen | None:
    try:
        return asked.result(max(0.0, deadline - time.monotonic()))
    except (SourceAway, TimeoutError):
        return None


def exporter_of_site(
    settings: AccountingSettings, dsn: Callable[[], str], find_pool: Callable[[], None], *, users: bool
) -> Exporter:
    """Of the database that `dsn` names and the pool to which `find_pool` leads this process; both may come later."""
    recorded = RecordedFigures(dsn, settings.metrics_fresh_seconds)
    pool = PoolFromThreads(settings.metrics_patience_seconds)

    def look_at_pool() -> Iterator[Metric]:
        find_pool()
        return shown.told(pool.ask(shown.ask), users=users)

    sources = {"database": recorded.look, "pool": look_at_pool}
    return Exporter(sources, settings.metrics_keep_seconds, settings.metrics_patience_seconds)
