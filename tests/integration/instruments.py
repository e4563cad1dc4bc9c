"""A provider of tokens whose keys change and which can be away, a front end on a port, and what a site declares."""

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from postgres import wait_until
from psycopg.conninfo import make_conninfo

from mlinfn_condor.ingestion import declaring
from mlinfn_condor.ingestion.serving import application
from mlinfn_condor.ingestion.settings import Ingestion, read
from mlinfn_condor.store import connect, migrate

AUDIENCE, SCOPE = "mlinfn-ingestion", "mlinfn.ingest"
SITE = """
[ingestion]
issuer = "{issuer}"
audience = "mlinfn-ingestion"
scope = "mlinfn.ingest"

[ingestion.groups]
radon-stations = "radon"
muon-telescopes = "muon"
everybody = ["radon", "muon"]

[[ingestion.tables]]
name = "reading"
projects = ["radon", "muon"]
key = ["station", "taken_at"]
retention_days = 365
[ingestion.tables.columns]
station = {{type = "integer"}}
taken_at = {{type = "timestamptz"}}
becquerel_m3 = {{type = "real", unit = "Bq/m³", optional = true}}
note = {{type = "text", optional = true}}

[[ingestion.tables]]
name = "track"
projects = ["muon"]
[ingestion.tables.columns]
angle = {{type = "double precision", unit = "rad"}}
hits = {{type = "jsonb", optional = true}}
"""


class Provider:
    """Signs tokens, and tells its public keys on a port of its own."""

    def __init__(self) -> None:
        self.keys: dict[str, object] = {}
        self.asked = 0
        self.is_away = False
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                if provider.is_away:
                    self.send_error(502)
                    return
                told = provider.jwks() if self.path == "/jwks" else provider.metadata()
                body = json.dumps(told).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.rotate("first")
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self._thread.start()

    def rotate(self, name: str, *, elliptic: bool = False) -> None:
        """Another key, and the old ones no more."""
        key = ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
        self.keys = {name: key}

    def metadata(self) -> dict[str, str]:
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"}

    def jwks(self) -> dict[str, object]:
        return {"keys": [self.public(name) for name in self.keys]}

    def public(self, name: str) -> dict[str, object]:
        key = self.keys[name]
        kind = jwt.algorithms.ECAlgorithm if hasattr(key, "curve") else jwt.algorithms.RSAAlgorithm
        return kind.to_jwk(key.public_key(), as_dict=True) | {"kid": name, "use": "sig"}  # type: ignore[attr-defined]

    def token(self, *groups: str, key: object = None, headers: dict | None = None, **claims: object) -> str:
        """A good one of somebody in these groups; a claim that is None is left out."""
        name, signing = next(iter(self.keys.items()))
        now = int(time.time())
        told = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": "station-7", "iat": now, "exp": now + 600,
            "scope": f"openid {SCOPE}", "groups": list(groups),
        } | claims  # fmt: skip
        algorithm = "ES256" if hasattr(signing, "curve") else "RS256"
        return jwt.encode(
            {name: value for name, value in told.items() if value is not None},
            key or signing, algorithm=algorithm, headers={"kid": name} | (headers or {}),
        )  # fmt: skip

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def provider() -> Iterator[Provider]:
    made = Provider()
    try:
        yield made
    finally:
        made.close()


def site_file(folder: Path, issuer: str) -> Path:
    (file := folder / "mlinfn.toml").write_text(SITE.format(issuer=issuer))
    return file


def declared(dsn: str, file: Path) -> Ingestion:
    """The database, with what the file declares."""
    migrate(dsn)
    settings = read(file)
    with connect(dsn, autocommit=True) as connection:
        declaring.apply(connection, settings, "site")
    return settings


def as_role(dsn: str, role: str) -> str:
    return make_conninfo(dsn, user=role)


@contextmanager
def front(settings: Ingestion, dsn: str) -> Iterator[str]:
    """The front end in this process; its address."""
    config = uvicorn.Config(
        application(settings, as_role(dsn, "mlinfn_rest")), port=0, http="h11", log_level="error", ws="none"
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        wait_until(lambda: server.started or not thread.is_alive(), 20, "the front end is up")
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join(20)
