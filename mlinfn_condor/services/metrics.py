"""What Prometheus is told of the services: read from the runner's file at each scrape."""

import time
from collections.abc import Iterator
from pathlib import Path
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import Metric
from prometheus_client.registry import Collector

from mlinfn_condor.accounting.metrics.families import Counter, Gauge
from mlinfn_condor.errors import UserError
from mlinfn_condor.services import state

UP = Gauge("mlinfn_service_up", "Whether the service runs.", ("service",))
AGE = Gauge("mlinfn_service_state_seconds", "How long it has been running, waiting or stopped.", ("service",))
STARTS = Counter("mlinfn_service_starts_total", "Starts since the runner began.", ("service",))
FAILED = Gauge("mlinfn_service_failed_in_a_row", "Ends that nobody wanted, one after the other.", ("service",))


class ServicesCollector(Collector):
    """For a registry of prometheus_client."""

    def __init__(self, file: Path) -> None:
        self._file = file

    def collect(self) -> Iterator[Metric]:
        """The families; none while no runner ever wrote."""
        try:
            seen = state.seen(state.read(self._file))
        except UserError:
            return
        now = time.time()
        yield UP.of(([one.name], float(true == "running")) for one, true in seen)
        yield AGE.of(([one.name], max(0.0, now - one.since)) for one, _ in seen)
        yield STARTS.of(([one.name], one.starts) for one, _ in seen)
        yield FAILED.of(([one.name], one.failed) for one, _ in seen)


def serve(file: Path, address: str, port: int, *more: Collector) -> WSGIServer:
    """Serve from now on, in a thread; port 0 takes a free one. Raises UserError when the address cannot be had."""
    registry = CollectorRegistry()
    for collector in (ServicesCollector(file), *more):
        registry.register(collector)
    try:
        server, _ = start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise UserError(f"cannot listen at {address}:{port}: {error.strerror or error}; choose another port") from error
    return server
