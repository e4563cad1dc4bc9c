"""An API server on this machine: a cluster in memory behind HTTPS with its own authority, and what can go wrong."""

import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import trustme
import yaml

from mlinfn_condor.kube.api import GROUP, METHOD, Call, Verb
from mlinfn_condor.kube.twin import TwinCluster
from mlinfn_condor.kube.twin_objects import Refused


@dataclass
class Fault:
    """What the server does instead of answering the next `times` calls of this verb (None: of any)."""

    kind: str
    """`status`, `hang`, `cut` (before a byte), `truncate` (in the middle), `garbage`, `trickle`."""
    verb: Verb | None = None
    times: int = 1
    status: int = 500
    after: bool = False
    """The call is carried out all the same: only its answer is lost."""
    retry_after: int | None = None


class ApiServer:
    """Comes up at once, on a port that it keeps over restarts."""

    def __init__(self, cluster: TwinCluster) -> None:
        self.cluster = cluster
        self.faults: list[Fault] = []
        self.agents: set[str] = set()
        self.authority = trustme.CA()
        self._tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.authority.issue_cert("127.0.0.1").configure_cert(self._tls)
        self._released = threading.Event()
        self._port = 0
        self._connections: set[socket.socket] = set()
        self._watching: set[socket.socket] = set()
        self.start()

    def start(self) -> None:
        """Listen (again)."""
        self._released.clear()
        self._server = _Server(("127.0.0.1", self._port), _Handler, self, self._tls)
        self._port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self) -> None:
        """Die: whoever is connected is cut off."""
        self._released.set()
        self._server.shutdown()
        self._server.server_close()
        self._cut(self._connections)

    def cut_watches(self) -> None:
        """The wires of all watches break, in the middle of whatever they carry."""
        self._cut(self._watching)

    @property
    def watches(self) -> int:
        """How many are being served."""
        return len(self._watching)

    def kubeconfig(self, path: Path, user: str = "provisioner", **cluster: object) -> Path:
        """Write a kubeconfig of this user."""
        authority = path.with_suffix(".pem")
        self.authority.cert_pem.write_to_path(str(authority))
        where = {"server": f"https://127.0.0.1:{self._port}", "certificate-authority": str(authority)} | cluster
        context = {"cluster": "standin", "user": user, "namespace": self.cluster.namespace}
        path.write_text(
            yaml.safe_dump(
                {
                    "apiVersion": "v1",
                    "kind": "Config",
                    "clusters": [{"name": "standin", "cluster": where}],
                    "users": [{"name": user, "user": {"token": user}}],
                    "contexts": [{"name": "standin", "context": context}],
                    "current-context": "standin",
                }
            )
        )
        return path

    def fault_for(self, verb: Verb) -> Fault | None:
        """The fault that this call meets."""
        for fault in self.faults:
            if fault.verb in (None, verb) and fault.times > 0:
                fault.times -= 1
                return fault
        return None

    def _cut(self, connections: set[socket.socket]) -> None:
        for connection in list(connections):
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, address, handler, api: ApiServer, tls: ssl.SSLContext) -> None:
        self.api, self.tls = api, tls
        super().__init__(address, handler)

    def finish_request(self, request, client_address) -> None:
        with suppress(OSError):  # a client that does not trust us hangs up
            wrapped = self.tls.wrap_socket(request, server_side=True)
            self.api._connections.add(wrapped)
            try:
                super().finish_request(wrapped, client_address)
            finally:
                self.api._connections.discard(wrapped)
                wrapped.close()

    def handle_error(self, request, client_address) -> None:
        """A client went away: nothing to tell."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *_) -> None:
        """Silence."""

    def _serve(self) -> None:
        api, call = self.server.api, self._read_call()
        api.agents.add(self.headers["User-Agent"])
        fault = api.fault_for(call.verb)
        if fault and fault.after:
            with suppress(Refused):
                api.cluster.serve(self._user, call)
        if fault:
            return self._fail(fault)
        try:
            if call.verb is Verb.WATCH:
                self._send_watch(call)
            else:
                self._send(200, api.cluster.serve(self._user, call))
        except Refused as error:
            self._send(error.status["code"], error.status)

    do_GET = do_POST = do_PUT = do_DELETE = _serve  # noqa: N815

    @property
    def _user(self) -> str:
        return self.headers.get("Authorization", "").removeprefix("Bearer ")

    def _read_call(self) -> Call:
        where = urlsplit(self.path)
        query = dict(parse_qsl(where.query))
        parts = where.path.strip("/").split("/")
        parts = parts[2:] if parts[0] == "api" else parts[3:]
        namespace = ""
        if parts[0] == "namespaces":
            namespace, parts = parts[1], parts[2:]
        resource, name = parts[0], parts[1] if len(parts) > 1 else ""
        assert resource in GROUP
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        if self.command == "GET":
            verb = Verb.WATCH if query.get("watch") else Verb.GET if name else Verb.LIST
        else:
            verb = {method: verb for verb, method in METHOD.items()}[self.command]
        return Call(verb, resource, namespace, name, query, json.loads(body) if body else None)

    def _send(self, status: int, answer: object, retry_after: int | None = None) -> None:
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        if retry_after is not None:
            self.send_header("Retry-After", str(retry_after))
        self.end_headers()
        self.wfile.write(body)

    def _send_watch(self, call: Call) -> None:
        api, closed = self.server.api, threading.Event()
        sent = api.cluster.watch(self._user, call, closed)
        self.send_response(200)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        with self._watching():
            for told in sent:
                line = json.dumps(told).encode() + b"\n"
                # In two chunks: a client must not take a chunk for an object.
                for part in (line[: len(line) // 2], line[len(line) // 2 :]):
                    self.wfile.write(f"{len(part):x}\r\n".encode() + part + b"\r\n")
                self.wfile.flush()
            if api.cluster.down:
                self.close_connection = True  # no last chunk
            else:
                self.wfile.write(b"0\r\n\r\n")

    @contextmanager
    def _watching(self) -> Iterator[None]:
        cluster = self.server.api.cluster
        with cluster.changed:
            self.server.api._watching.add(self.connection)
            cluster.changed.notify_all()
        try:
            yield
        finally:
            with cluster.changed:
                self.server.api._watching.discard(self.connection)
                cluster.changed.notify_all()

    def _fail(self, fault: Fault) -> None:
        self.close_connection = True
        match fault.kind:
            case "status":
                self._send(fault.status, {"kind": "Status", "message": "a fault"}, fault.retry_after)
            case "hang":
                self.server.api._released.wait(30)
            case "garbage":
                self._send(200, b"<html>a proxy's page</html>")
            case "truncate":
                body = json.dumps({"kind": "List", "metadata": {"resourceVersion": "1"}, "items": []}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body[: len(body) // 2])
            case "trickle":
                self.send_response(200)
                self.send_header("Transfer-Encoding", "chunked")
                self.end_headers()
                while not self.server.api._released.wait(0.02):
                    self.wfile.write(b"1\r\n \r\n")
                    self.wfile.flush()
