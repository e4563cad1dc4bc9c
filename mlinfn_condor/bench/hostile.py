"""Requests that must not come to anything, as bytes on the line.

Made-up and stolen tokens, SQL wherever a client may put words, wrong types, huge and deep bodies, wrong content types,
and two requests in one.
"""

import base64
import json
import socket
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from mlinfn_condor.bench.instruments import Provider

ANSWER_SECONDS = 60
GOOD_ROW: Mapping[str, object] = {"station": 66, "taken_at": "2026-11-25T13:00:00Z", "becquerel_m3": 1.0, "note": "no"}
SQL = (
    "1; DROP TABLE api.reading", "1'; DROP TABLE api.reading; --", 'x"; DELETE FROM api.reading; --', "1 OR 1=1",
    "1) UNION SELECT * FROM pg_authid --", "(SELECT pg_sleep(5))", "$$;TRUNCATE api.reading;$$", "\\'; SELECT 1; --",
    "1/**/;COMMIT", "current_user", "%27; DROP SCHEMA api CASCADE; --", "'||(SELECT usename FROM pg_user)||'",
)  # fmt: skip


@dataclass(frozen=True)
class Hostile:
    """What is sent, and with which statuses it may be refused."""

    name: str
    raw: bytes
    refused: frozenset[int]


def sent(address: str, attack: Hostile) -> int:
    """Status of the answer; 0: the line was closed without one."""
    host, _, port = address.removeprefix("http://").rpartition(":")
    answer = b""
    with socket.create_connection((host, int(port)), timeout=ANSWER_SECONDS) as line:
        with suppress(OSError):  # it has heard enough; its answer may still be there
            line.sendall(attack.raw)
        with suppress(OSError):
            while part := line.recv(65536):
                answer += part
    words = answer.split(None, 2)
    return int(words[1]) if len(words) > 1 and words[0].startswith(b"HTTP/") else 0


def attacks(provider: Provider) -> list[Hostile]:
    """All of them."""
    good = provider.token("radon-stations")
    return [*_tokens(provider), *_names(good), *_values(good), *_bodies(good), *_lines(good, provider)]


def _raw(
    method: str, path: str, token: str | None, body: bytes = b"", kind: str = "application/json", *more: str
) -> bytes:
    lines = [f"{method} {path} HTTP/1.1", "Host: site", "Connection: close"]
    lines += [f"Authorization: Bearer {token}"] if token is not None else []
    if body or method == "POST":
        lines += [f"Content-Type: {kind}", f"Content-Length: {len(body)}"]
    return "\r\n".join([*lines, *more, "", ""]).encode() + body


def _post(token: str | None, row: object, query: str = "", *more: str) -> bytes:
    return _raw("POST", f"/reading{query}", token, json.dumps(row).encode(), "application/json", *more)


def _unsigned(header: Mapping[str, object], claims: Mapping[str, object], signature: bytes = b"") -> str:
    parts = (json.dumps(header).encode(), json.dumps(claims).encode(), signature)
    return ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)


def _bad_tokens(provider: Provider) -> Iterator[tuple[str, str, int]]:
    name, key = next(iter(provider.keys.items()))
    group = "radon-stations"
    claims = provider.claims(group)
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, "HS256", "RS1", "ES256K", 5):
        yield f"alg {algorithm}, no signature", _unsigned({"alg": algorithm, "kid": name}, claims), 401
    public = key.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)
    for secret in (public, public.strip(), json.dumps(provider.public(name)).encode(), b"", b"secret"):
        for algorithm in ("HS256", "HS384", "HS512"):
            yield f"{algorithm} with what is public", _symmetric(algorithm, name, claims, secret), 401
    other = rsa.generate_private_key(65537, 2048)
    yield "another's key under the same name", provider.token(group, key=other), 401
    for header in (
        {"kid": "unknown"}, {"kid": "../../dev/null"}, {"kid": "' OR 1=1 --"}, {"kid": None},
        {"jku": "http://127.0.0.1:1/jwks"}, {"x5u": "http://127.0.0.1:1/x"}, {"jwk": {"kty": "oct", "k": "c2VjcmV0"}},
        {"crit": ["exp"]}, {"typ": "evil"},
    ):  # fmt: skip
        yield f"another's key, header {header}", provider.token(group, key=other, headers=header), 401
    now = int(claims["iat"])
    changes: tuple[tuple[dict[str, Any], int], ...] = (
        ({"exp": now - 3600}, 401), ({"exp": now - 61}, 401), ({"exp": None}, 401), ({"exp": "soon"}, 401),
        ({"exp": -1}, 401), ({"nbf": now + 3600}, 401), ({"iat": now + 3600}, 401), ({"nbf": "x"}, 401),
        ({"aud": "another"}, 401), ({"aud": ["another", "third"]}, 401), ({"aud": None}, 401), ({"aud": 7}, 401),
        ({"iss": "https://evil.example.org"}, 401), ({"iss": provider.issuer + "/x"}, 401), ({"iss": None}, 401),
        ({"iss": [provider.issuer]}, 401), ({"sub": None}, 401), ({"scope": None}, 403), ({"scope": "openid"}, 403),
        ({"scope": "mlinfn.ingest2"}, 403), ({"scope": ["x"]}, 403), ({"groups": None}, 403), ({"groups": []}, 403),
        ({"groups": "radon-stations"}, 403), ({"groups": ["Radon-stations"]}, 403), ({"groups": {group: 1}}, 403),
        ({"groups": ["radon"], "role": "mlinfn_project_radon"}, 403), ({"groups": ["' OR true --"]}, 403),
        ({"groups": ["nobody"], "project": "radon"}, 403), ({"groups": [[group]]}, 403),
    )  # fmt: skip
    for changed, status in changes:
        yield f"claims {changed}", provider.token(**({"groups": [group]} | changed)), status
    head, payload, signature = provider.token(group).split(".")
    forged = base64.urlsafe_b64encode(json.dumps(claims | {"sub": "admin"}).encode()).decode().rstrip("=")
    for text in (
        f"{head}.{forged}.{signature}", f"{head}.{payload}.{signature[:-8]}", f"{head}.{payload}.",
        f"{head}.{payload}", head, f"{head}.{payload}.{signature}.x", "e30.e30.e30", "a.b.c", "x" * 20_000,
        f"{head}.{payload}.{signature[::-1]}", "null", "{}",
    ):  # fmt: skip
        yield f"token {text[:12]}…", text, 401


def _symmetric(algorithm: str, name: str, claims: Mapping[str, object], secret: bytes) -> str:
    import hashlib
    import hmac

    signed = _unsigned({"alg": algorithm, "kid": name, "typ": "JWT"}, claims).rpartition(".")[0]
    digest = hmac.new(secret, signed.encode(), getattr(hashlib, f"sha{algorithm[2:]}")).digest()
    return f"{signed}.{base64.urlsafe_b64encode(digest).decode().rstrip('=')}"


def _tokens(provider: Provider) -> Iterator[Hostile]:
    for name, token, status in _bad_tokens(provider):
        allowed = frozenset({status})
        yield Hostile(f"insert: {name}", _post(token, GOOD_ROW), allowed)
        yield Hostile(f"read: {name}", _raw("GET", "/reading", token), allowed)
    merging = "Prefer: resolution=merge-duplicates"
    for raw in (_post(None, GOOD_ROW), _post("", GOOD_ROW), _post(None, GOOD_ROW, "", merging)):
        yield Hostile("no token", raw, frozenset({401}))
    basic = base64.b64encode(b"mlinfn_owner:mlinfn_owner").decode()
    yield Hostile("a password", _post(None, GOOD_ROW, "", f"Authorization: Basic {basic}"), frozenset({401}))


def _names(good: str) -> Iterator[Hostile]:
    bad = frozenset({400})
    for text in SQL:
        word = quote(text, safe="")
        for method in ("GET", "POST"):
            raw = _raw(method, f"/{word}", good, json.dumps(GOOD_ROW).encode() if method == "POST" else b"")
            yield Hostile(f"{method} table {text}", raw, frozenset({400, 404}))
        for query in (f"select={word}", f"order={word}", f"{word}=eq.1", f"or=({word}.eq.1,station.eq.2)"):
            yield Hostile(f"GET {query}", _raw("GET", f"/reading?{query}", good), bad)
        for query in (f"?columns={word}", f"?select={word}"):
            raw = _post(good, GOOD_ROW, query, "Prefer: return=representation")
            yield Hostile(f"POST {query}", raw, bad)
        raw = _post(good, GOOD_ROW, f"?on_conflict={word}", "Prefer: resolution=merge-duplicates")
        yield Hostile(f"on_conflict {text}", raw, bad)
        yield Hostile(f"key {text}", _post(good, dict(GOOD_ROW) | {text: 1}), bad)
    for name in ("project", "sent_by", "received_at", "written_by"):
        for value in ("muon", 1, None):
            yield Hostile(f"column {name}", _post(good, dict(GOOD_ROW) | {name: value}), frozenset({403}))
    for path in ("/track", "/track?select=id"):
        yield Hostile(f"another's table {path}", _raw("GET", path, good), frozenset({403}))
    yield Hostile("into another's table", _raw("POST", "/track", good, b'{"angle": 1}'), frozenset({403}))
    for path in (
        "/pg_authid",
        "/declared",
        "/mlinfn_ingest.declared",
        "/api.reading",
        "/..%2Freading",
        "/rpc/enter",
        "/",
        "//",
    ):
        for method in ("GET", "POST"):
            raw = _raw(method, path, good, b"{}" if method == "POST" else b"")
            yield Hostile(f"{method} {path}", raw, frozenset({400, 404}))
    for schema in ("mlinfn", "mlinfn_ingest", "pg_catalog", "public", "api, mlinfn", 'api"; --'):
        yield Hostile(f"schema {schema}", _post(good, GOOD_ROW, "", f"Content-Profile: {schema}"), frozenset({406}))
        yield Hostile(
            f"schema {schema}", _raw("GET", "/reading", good, b"", "", f"Accept-Profile: {schema}"), frozenset({406})
        )


def _values(good: str) -> Iterator[Hostile]:
    bad = frozenset({400})
    for text in SQL:
        word = quote(text, safe="")
        for filtered in (f"eq.{word}", f"not.gt.{word}", f"in.(1,%22{word}%22)", f"is.{word}", f"{word}.1"):
            yield Hostile(f"GET station={filtered}", _raw("GET", f"/reading?station={filtered}", good), bad)
        for column in ("station", "taken_at", "becquerel_m3"):
            if column == "taken_at" and text == "current_user":
                continue
            yield Hostile(f"{column}: {text}", _post(good, dict(GOOD_ROW) | {column: text}), bad)
        for name in ("limit", "offset"):
            yield Hostile(f"{name}: {text}", _raw("GET", f"/reading?{name}={word}", good), bad)
    wrong: Mapping[str, tuple[object, ...]] = {
        "station": ([], {}, True, 1.5, 2**40, "", "one", None, [1], {"a": 1}, "0x", "1e3"),
        "taken_at": ([], {}, True, "no time", "2026-13-45", "", None, 12345678901234567890),
        "becquerel_m3": ([], {}, True, "much", "1e999", "", "1,5"),
        "note": ("a\x00b",),
    }
    for column, values in wrong.items():
        for value in values:
            yield Hostile(f"{column}: {value!r}", _post(good, dict(GOOD_ROW) | {column: value}), bad)
            yield Hostile(
                f"{column}: {value!r}, second",
                _post(good, [GOOD_ROW, dict(GOOD_ROW) | {"station": 67, column: value}]),
                bad,
            )
    for number in ("limit=-1", "offset=-1"):
        yield Hostile(number, _raw("GET", f"/reading?{number}", good), frozenset({416}))
    yield Hostile("backwards", _raw("GET", "/reading", good, b"", "", "Range: 9-1"), frozenset({416}))
    deep = "and(" * 50 + "station.eq.1" + ")" * 50
    many = ",".join(map(str, range(5000)))
    for query in (
        f"or=({deep})",
        f"station=in.({many})",
        "or=(",
        "or=()",
        "and=station.eq.1",
        "&".join(["station=eq.1"] * 300),
    ):
        yield Hostile(f"GET {query[:30]}", _raw("GET", f"/reading?{query}", good), bad)
    twice = [GOOD_ROW, GOOD_ROW]
    yield Hostile("the same row twice", _post(good, twice), frozenset({409}))
    yield Hostile("merged twice", _post(good, twice, "", "Prefer: resolution=merge-duplicates"), frozenset({500}))


def _bodies(good: str) -> Iterator[Hostile]:
    bad = frozenset({400})
    row = json.dumps(GOOD_ROW)
    for kind in ("text/xml", "application/xml", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
                 "application/octet-stream", "text/plain", "text/html", "application/json; charset=utf-16",
                 "application/json; charset=latin1", "image/png", "application/x-yaml", "../json"):  # fmt: skip
        yield Hostile(f"content type {kind}", _raw("POST", "/reading", good, row.encode(), kind), frozenset({415}))
    texts: tuple[bytes, ...] = (
        b"", b"{", b"[", row[:-1].encode(), row.encode() + b"x", f"[{row},]".encode(), f"{row}{row}".encode(), b"null",
        b"5", b'"x"', b"true", b"[1]", b"[null]", f"[{row},5]".encode(), f"[{row},{{}}]".encode(), b"\xff\xfe",
        *(row.replace("1.0", number).encode() for number in ("NaN", "Infinity", "-Infinity")),
        row.replace("1.0", "9" * 5000).encode(), row.encode("utf-16"), row.replace('"no"', '"\\ud800"').encode(),
        row.replace("no", "\\u0000").encode(), b"[" * 100_000, b'{"a":' * 100_000, b"[" * 900 + b"]" * 900,
        row.replace('"no"', "[" * 500 + "]" * 500).encode(), row.encode().replace(b"no", b"\xc3\x28"),
    )  # fmt: skip
    for text in texts:
        yield Hostile(f"body {text[:30]!r}", _raw("POST", "/reading", good, text), bad)
    for text in (b"station,taken_at\n1", b"station,station\n1,2", b'station,taken_at\n1,"x', b"station,taken_at\n1,2,3",
                 b"station\nx", b"nothing\n1", b"\xff", b"station,taken_at\n1,never"):  # fmt: skip
        yield Hostile(f"csv {text!r}", _raw("POST", "/reading", good, text, "text/csv"), bad)
    large = b'[{"note":"' + b"x" * 17_000_000 + b'"}]'
    yield Hostile("17 MB", _raw("POST", "/reading", good, large), frozenset({413}))
    chunk = b"%x\r\n" % 1_000_000 + b" " * 1_000_000 + b"\r\n"
    head = _raw("POST", "/reading", good, b"").replace(b"Content-Length: 0", b"Transfer-Encoding: chunked")
    yield Hostile("17 MB in chunks", head + chunk * 17 + b"0\r\n\r\n", frozenset({413}))
    for length in ("999999999999", "99999999999999999999999999"):
        raw = _raw("POST", "/reading", good, b"{}").replace(b"Content-Length: 2", f"Content-Length: {length}".encode())
        yield Hostile(f"a length of {length}", raw, frozenset({400, 413}))
    yield Hostile("200,000 rows", _raw("POST", "/reading", good, b"[" + b"{}," * 200_000 + b"{}]"), frozenset({413}))


def _lines(good: str, provider: Provider) -> Iterator[Hostile]:
    bad = frozenset({400})
    row = json.dumps(GOOD_ROW).encode()
    for method in ("PUT", "PATCH", "DELETE", "OPTIONS"):
        for path in ("/reading", "/reading?station=eq.1", "/track"):
            yield Hostile(f"{method} {path}", _raw(method, path, good, row), bad)
    for method in ("TRACE", "CONNECT", "MERGE", "get"):
        yield Hostile(f"{method}", _raw(method, "/reading", good), frozenset({400, 405}))
    smuggled = _post(good, GOOD_ROW)
    chunked = b"0\r\n\r\n" + smuggled
    both = _raw("POST", "/reading", good, chunked, "application/json", "Transfer-Encoding: chunked")
    yield Hostile("a length and chunks", both, bad)
    empty = _raw("POST", "/reading", good)
    for coding in ("chunked, identity", "xchunked", " chunked, chunked", "gzip, chunked", "identity"):
        raw = empty.replace(b"Content-Length: 0", f"Transfer-Encoding: {coding}".encode()) + chunked
        yield Hostile(f"coding {coding}", raw, frozenset({400, 501}))
    two = _raw("POST", "/reading", good, row, "application/json", "Content-Length: 0")
    yield Hostile("two lengths", two, bad)
    for length in ("-1", "+5", "0x10", "1e3", "5 5", ""):
        raw = _raw("POST", "/reading", good, row).replace(
            f"Content-Length: {len(row)}".encode(), f"Content-Length: {length}".encode()
        )
        yield Hostile(f"length {length!r}", raw, bad)
    other = provider.token("muon-telescopes")
    for header in (
        f"Authorization: Bearer {other}", f"Authorization : Bearer {other}",
        "X-Mlinfn-Project: radon\r\nX-Mlinfn-Project: muon",
        "Content-Profile: api\r\nContent-Profile: mlinfn", "Bad\x00Header: x", "Bad Header: x", ": x", "no colon",
        "X-Folded: a\r\n\r\n b\x00",
    ):  # fmt: skip
        raw = _post(good, [GOOD_ROW, {"station": "x"}], "", header)
        yield Hostile(f"header {header[:30]!r}", raw, bad)
    for project in ("muon", "radon' OR true --", "RADON", "", "radon,muon"):
        yield Hostile(
            f"project {project!r}", _post(good, GOOD_ROW, "", f"X-Mlinfn-Project: {project}"), frozenset({403})
        )
    yield Hostile("a line without end", b"POST /" + b"a" * 100_000, frozenset({0, 400}))
    yield Hostile("no HTTP", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" * 20 + b"\r\n\r\n", frozenset({0, 400}))
    yield Hostile(
        "a header without end",
        _raw("GET", "/reading", good)[:-4] + b"\r\nX: " + b"a" * 100_000,
        frozenset({0, 400, 431}),
    )
