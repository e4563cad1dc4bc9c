"""A site of instruments for benches and tests.

A provider of tokens whose keys change and which can be away, what a site declares, and the front end as a process.
"""

import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from mlinfn_condor.errors import Timeout
from mlinfn_condor.ingestion import declaring
from mlinfn_condor.ingestion.settings import Ingestion, read
from mlinfn_condor.store import connect, migrate

AUDIENCE, SCOPE = "mlinfn-ingestion", "mlinfn.ingest"
UP_SECONDS, DOWN_SECONDS = 60, 30
TOKEN_SECONDS = 600
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

    def __init__(self, port: int = 0) -> None:
        """`port`: 0 takes a free one."""
        self.keys: dict[str, Any] = {}
        self.asked = 0
        self.is_away = False
        provider = self

        class Answers(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                provider.asked += 1
                if provider.is_away:
                    self.send_error(502)
                    return
                body = json.dumps(provider.jwks() if self.path == "/jwks" else provider.metadata()).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Answers)
        self.issuer = f"http://127.0.0.1:{self._server.server_port}"
        self.rotate("first")
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    def rotate(self, name: str, *, elliptic: bool = False) -> None:
        """Another key, and the old ones no more."""
        self.keys = {
            name: ec.generate_private_key(ec.SECP256R1()) if elliptic else rsa.generate_private_key(65537, 2048)
        }

    def metadata(self) -> dict[str, str]:
        """What it tells of itself."""
        return {"issuer": self.issuer, "jwks_uri": f"{self.issuer}/jwks"}

    def jwks(self) -> dict[str, Any]:
        """Its public keys."""
        return {"keys": [self.public(name) for name in self.keys]}

    def public(self, name: str) -> dict[str, Any]:
        """One of them."""
        key = self.keys[name]
        kind: Any = jwt.algorithms.ECAlgorithm if hasattr(key, "curve") else jwt.algorithms.RSAAlgorithm
        told: dict[str, Any] = kind.to_jwk(key.public_key(), as_dict=True)
        return told | {"kid": name, "use": "sig"}

    def claims(self, *groups: str, **changed: object) -> dict[str, Any]:
        """Of somebody in these groups; what is changed to None is left out."""
        now = int(time.time())
        told: dict[str, object] = {
            "iss": self.issuer, "aud": AUDIENCE, "sub": "station-7", "iat": now, "exp": now + TOKEN_SECONDS,
            "scope": f"openid {SCOPE}", "groups": list(groups),
        }  # fmt: skip
        return {name: value for name, value in (told | changed).items() if value is not None}

    def token(
        self, *groups: str, key: Any = None, headers: Mapping[str, object] | None = None, **changed: object
    ) -> str:
        """A good one, but for what is changed."""
        name, signing = next(iter(self.keys.items()))
        algorithm = "ES256" if hasattr(key or signing, "curve") else "RS256"
        told = {name: value for name, value in ({"kid": name} | dict(headers or {})).items() if value is not None}
        payload = json.dumps(self.claims(*groups, **changed)).encode()  # as it is: jwt.encode would look at the claims
        return jwt.PyJWS().encode(payload, key or signing, algorithm=algorithm, headers=told)

    def close(self) -> None:
        """It answers nobody any more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@contextmanager
def provider() -> Iterator[Provider]:
    """One that is up."""
    made = Provider()
    try:
        yield made
    finally:
        made.close()


def site_file(folder: Path, issuer: str) -> Path:
    """What the site declares."""
    (file := folder / "mlinfn.toml").write_text(SITE.format(issuer=issuer))
    return file


def declared(dsn: str, file: Path) -> Ingestion:
    """A database with today's schema and what the file declares."""
    migrate(dsn)
    settings = read(file)
    with connect(dsn, autocommit=True) as connection:
        declaring.apply(connection, settings, "site")
    return settings


class Serving:
    """`mlinfn ingest serve` as a process of its own."""

    def __init__(self, file: Path, dsn: str, port: int = 0) -> None:
        """`dsn`: as role mlinfn_rest. Raises Timeout."""
        words = ["ingest", "serve", str(file), "--port", str(port), "--dsn", dsn]
        command = [sys.executable, "-m", "mlinfn_condor.cli", *words]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        if self.process.stdout is None:
            raise Timeout("the front end says nothing")
        self.address = self.process.stdout.readline().strip()
        if not self.address:
            raise Timeout("the front end did not come up")

    def end(self, *, kill: bool = False) -> None:
        """End it, or kill it."""
        if kill:
            self.process.kill()
        else:
            self.process.terminate()
        self.process.wait(DOWN_SECONDS)
        if self.process.stdout is not None:
            self.process.stdout.close()


@contextmanager
def serving(file: Path, dsn: str) -> Iterator[Serving]:
    """Up, and surely down afterwards."""
    made = Serving(file, dsn)
    try:
        yield made
    finally:
        if made.process.poll() is None:
            made.end()
