"""Metrics as Prometheus names them: base units, HELP in words of the glossary, and nothing where a value is unknown."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric

Row = tuple[Sequence[object], float | None]
"""Values of the labels, and the figure; None: unknown, and then there is no sample."""


@dataclass(frozen=True)
class Family:
    """Name, HELP, names of the labels."""

    name: str
    help: str
    labels: tuple[str, ...] = ()

    def of(self, rows: Iterable[Row]) -> Metric:
        """With a sample for each row whose figure is known."""
        family = self._empty()
        for labels, value in rows:
            if value is not None:
                family.add_metric([str(label) for label in labels], value)
        return family

    def _empty(self) -> GaugeMetricFamily | CounterMetricFamily:
        raise NotImplementedError


class Gauge(Family):
    """A figure that may fall, if only because a record told it better."""

    def _empty(self) -> GaugeMetricFamily:
        return GaugeMetricFamily(self.name, self.help, labels=self.labels)


class Counter(Family):
    """A figure that never falls but to begin again from zero; its name ends with `_total`."""

    def _empty(self) -> CounterMetricFamily:
        return CounterMetricFamily(self.name, self.help, labels=self.labels)


@dataclass(frozen=True)
class Histogram:
    """How many took how long; counts never fall."""

    name: str
    help: str
    bounds: tuple[float, ...]
    labels: tuple[str, ...] = ()

    def of(self, rows: Iterable[tuple[Sequence[object], Sequence[int], float]]) -> Metric:
        """Each row: labels, how many in each bucket and above the last, and the sum of what was measured."""
        family = HistogramMetricFamily(self.name, self.help, labels=self.labels)
        for labels, counts, total in rows:
            so_far = 0
            buckets = []
            for bound, count in zip((*map(str, self.bounds), "+Inf"), counts, strict=True):
                so_far += count
                buckets.append((bound, so_far))
            family.add_metric([str(value) for value in labels], buckets, total)
        return family
