"""One request, from its parts to an answer: who asks, what for, and one transaction in which it is done or not."""

import csv
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from mlinfn_condor.ingestion import asked, bodies, composing, refusals, tokens
from mlinfn_condor.ingestion.catalogue import Catalogue
from mlinfn_condor.ingestion.keys import KeyRing
from mlinfn_condor.ingestion.refusals import Refusal
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store import Connection, Error, StoreUnreachable
from mlinfn_condor.store.crowd import Crowd

SCHEMA = "api"
STATEMENT_MS = "30000"
"""What one statement may take."""
ARRAY, OBJECT, CSV = "application/json", "application/vnd.pgrst.object+json", "text/csv"
_TAKES = {
    ARRAY: ARRAY, "*/*": ARRAY, "application/*": ARRAY, "application/vnd.pgrst.array+json": ARRAY, OBJECT: OBJECT,
    "application/vnd.pgrst.object": OBJECT, CSV: CSV,
}  # fmt: skip
_ONCE = ("authorization", "x-mlinfn-project", "content-type", "content-length", "range", "range-unit",
    "content-profile", "accept-profile")  # fmt: skip


@dataclass(frozen=True)
class Request:
    """What came over the line. Header names are small letters."""

    method: str
    table: str
    query: asked.Query
    headers: Mapping[str, Sequence[str]]
    body: bytes = b""

    def header(self, name: str) -> str | None:
        """Of those that may be there once."""
        return next(iter(self.headers.get(name, ())), None)


@dataclass(frozen=True)
class Answer:
    """What goes back."""

    status: int
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


class Front:
    """Everything that requests share."""

    def __init__(self, settings: Ingestion, keys: KeyRing, crowd: Crowd) -> None:
        self._settings, self._keys, self._crowd = settings, keys, crowd
        self._catalogue = Catalogue()

    def admit(self, request: Request) -> Mapping[str, Any]:
        """The claims of who asks, before a byte of the body is read. Raises Refusal."""
        for name in _ONCE:
            if len(request.headers.get(name, ())) > 1:
                raise refusals.unparsed(f"headers: {name} is there twice")
        if "transfer-encoding" in request.headers and "content-length" in request.headers:
            raise refusals.unparsed("headers: a length and chunks")
        return tokens.claims(request.header("authorization"), self._settings, self._keys)

    def answer(self, request: Request, claims: Mapping[str, Any]) -> Answer:
        """Do it. Raises Refusal."""
        kind = _kind(request)
        if request.method in ("GET", "HEAD"):
            return self._read(request, claims, kind)
        if request.method == "POST":
            return self._insert(request, claims, kind)
        raise refusals.not_covered(f"method {request.method}: rows are read, inserted and merged here")

    def _read(self, request: Request, claims: Mapping[str, Any], kind: str) -> Answer:
        wanted = asked.reading(request.query, request.header("range"), request.header("range-unit"))
        preferred = asked.preferences(request.headers.get("prefer", ()))
        with self._transaction(request, claims) as connection:
            table = self._catalogue.table(connection, request.table)
            found = connection.execute(composing.page(table, wanted, self._settings.most_rows)).fetchone() or (0, "[]")
            count, text = int(found[0]), str(found[1])
            total = None
            if preferred.counts:
                total = int((connection.execute(composing.total(table, wanted)).fetchone() or (0,))[0])
        if total is not None and wanted.offset > 0 and wanted.offset >= total:
            raise asked.offset_out_of_range(wanted.offset, total)
        shown = f"{wanted.offset}-{wanted.offset + count - 1}" if count else "*"
        headers = {"Content-Range": f"{shown}/{'*' if total is None else total}", "Content-Profile": SCHEMA}
        status = 206 if total is not None and count < total else 200
        body = _shaped(text, count, kind)
        return Answer(status, b"" if request.method == "HEAD" else body, headers | _content(kind))

    def _insert(self, request: Request, claims: Mapping[str, Any], kind: str) -> Answer:
        wanted = asked.writing(request.query)
        preferred = asked.preferences(request.headers.get("prefer", ()))
        rows = bodies.read(request.body, request.header("content-type") or "", wanted.columns)
        if rows.count == 0:
            # nothing to do, but not for everybody
            with self._transaction(request, claims) as connection:
                self._catalogue.table(connection, request.table)
            return _written(0, 0, "[]", preferred, kind)
        with self._transaction(request, claims) as connection:
            table = self._catalogue.table(connection, request.table, wanted.columns or rows.columns)
            statement = composing.insert(table, wanted, rows, preferred)
            written = connection.execute(statement, {"rows": rows.text})
            count, new, text = (written.fetchone() or (0, 0, None)) if written.description else (1, 1, None)
            told = "[]" if text is None else str(text)
            if kind == OBJECT and preferred.returns == "representation" and count != 1:
                raise _not_one(int(count))
        return _written(int(count), int(new), told, preferred, kind)

    @contextmanager
    def _transaction(self, request: Request, claims: Mapping[str, Any]) -> Iterator[Connection]:
        project = request.header("x-mlinfn-project")
        entering = {
            "timeout_ms": STATEMENT_MS,
            "claims": json.dumps(claims),
            "headers": json.dumps({} if project is None else {"x-mlinfn-project": project}),
        }
        try:
            with self._crowd.transaction(SQL.text("enter"), entering) as connection:
                yield connection
        except (Error, StoreUnreachable) as error:
            raise refusals.of_database(error) from error


def _kind(request: Request) -> str:
    """In which form the answer is wanted. Raises Refusal."""
    profile = request.header("content-profile" if request.method == "POST" else "accept-profile")
    if profile not in (None, SCHEMA):
        raise Refusal(406, "PGRST106", f"Invalid schema: {profile}", None, f"Only the schema {SCHEMA} is exposed")
    wanted = ",".join(request.headers.get("accept", ())) or ARRAY
    for part in wanted.split(","):
        kind, _, parameters = part.strip().lower().partition(";")
        if "nulls=stripped" in parameters:
            raise refusals.not_covered("Accept: nulls=stripped")
        if kind in _TAKES:
            return _TAKES[kind]
    raise Refusal(406, "PGRST107", f"None of these media types are available: {wanted[:200]}")


def _written(count: int, new: int, text: str, preferred: asked.Preferences, kind: str) -> Answer:
    headers = {"Content-Range": f"*/{count if preferred.counts else '*'}", "Preference-Applied": preferred.applied}
    status = 200 if preferred.resolution and not new else 201
    if preferred.returns != "representation":
        return Answer(status, b"", headers)
    return Answer(status, _shaped(text, count, kind), headers | _content(kind))


def _shaped(text: str, count: int, kind: str) -> bytes:
    if kind == ARRAY:
        return text.encode()
    if kind == OBJECT:
        if count != 1:
            raise _not_one(count)
        return text.strip()[1:-1].encode()
    rows = json.loads(text)
    written = io.StringIO()
    if rows:
        lines = csv.DictWriter(written, list(rows[0]), lineterminator="\n")
        lines.writeheader()
        lines.writerows(rows)
    return written.getvalue().encode()


def _not_one(count: int) -> Refusal:
    return Refusal(
        406, "PGRST116", "Cannot coerce the result to a single JSON object", f"The result contains {count} rows"
    )


def _content(kind: str) -> dict[str, str]:
    return {"Content-Type": f"{kind}; charset=utf-8"}
