"""The endpoint itself: HTTP on one address, until it is told to stop."""

from collections.abc import Callable
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, start_http_server

from mlinfn_condor.accounting.metrics.exporter import Exporter
from mlinfn_condor.errors import UserError
from mlinfn_condor.stopping import told_to_stop


def start(exporter: Exporter, address: str, port: int) -> WSGIServer:
    """Serve from now on; port 0 takes a free one. Raises UserError when the address cannot be had."""
    registry = CollectorRegistry()
    registry.register(exporter)
    try:
        server, _ = start_http_server(port, addr=address, registry=registry)
    except OSError as error:
        raise UserError(
            f"cannot listen at {address}:{port}: {error.strerror or error}; choose another --port"
        ) from error
    return server


def serve(exporter: Exporter, address: str, port: int, ready: Callable[[str], None]) -> None:
    """Until SIGTERM or SIGINT; `ready` is told the URL."""
    over = told_to_stop()
    server = start(exporter, address, port)
    host, found = server.server_address[:2]
    shown = f"[{host!s}]" if ":" in str(host) else str(host)
    ready(f"http://{shown}:{found}/metrics")
    over.wait()
    server.shutdown()
    server.server_close()
