"""Rows in the body of a request: JSON or CSV. Pure. What comes out is JSON text that PostgreSQL reads as rows."""

import csv
import io
import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

from mlinfn_condor.ingestion import refusals
from mlinfn_condor.ingestion.refusals import Refusal

JSON_TYPES = frozenset(
    {"application/json", "application/vnd.pgrst.object+json", "application/vnd.pgrst.array+json", ""}
)
CSV_TYPE = "text/csv"
MOST_ROWS = 100_000
"""In one request: it is one transaction."""
DEEPEST = 32
"""Values within values."""


@dataclass(frozen=True)
class Rows:
    """What is to be inserted."""

    text: str
    """A JSON array of objects."""
    count: int
    columns: tuple[str, ...]
    """Names that the rows have."""


def read(body: bytes, content_type: str, columns: tuple[str, ...] | None) -> Rows:
    """The rows of a body. `columns`: what the address names, which then need not be the same in each row."""
    kind, _, parameters = content_type.partition(";")
    if "charset" in parameters.lower() and not re.search(r"charset\s*=\s*\"?utf-?8", parameters, re.IGNORECASE):
        raise Refusal(415, "PGRST107", f"Content-Type not acceptable: {content_type[:100]}", hint="UTF-8 is")
    kind = kind.strip().lower()
    if kind == CSV_TYPE:
        rows: list[dict[str, Any]] = _csv(body)
        text = json.dumps(rows)
    elif kind in JSON_TYPES:
        rows, text = _json(body)
    else:
        raise Refusal(415, "PGRST107", f"Content-Type not acceptable: {content_type[:100]}")
    if len(rows) > MOST_ROWS:
        raise Refusal(413, "PT413", f"More than {MOST_ROWS} rows", hint="Send them in several requests.")
    if columns is None:
        columns = tuple(rows[0]) if rows else ()
        first = rows[0].keys() if rows else ()
        if any(row.keys() != first for row in rows):
            raise refusals.bad_body("All object keys must match")
    return Rows(text, len(rows), columns)


def _json(body: bytes) -> tuple[list[dict[str, Any]], str]:
    try:
        text = body.decode()
        told = json.loads(text, parse_constant=_no_number)
    except (ValueError, RecursionError) as error:
        raise refusals.bad_body("Empty or invalid json") from error
    rows = told if isinstance(told, list) else [told]
    if not all(isinstance(row, dict) for row in rows):
        raise refusals.bad_body("All object keys must match")
    if any(_depth(value) > DEEPEST for row in rows for value in row.values() if isinstance(value, dict | list)):
        raise refusals.bad_body(f"json deeper than {DEEPEST}")
    return rows, text if isinstance(told, list) else f"[{text}]"


def _depth(value: Any, so_far: int = 0) -> int:
    """Of a value that json has read, so it is no deeper than Python's own limit."""
    if so_far > DEEPEST or not isinstance(value, dict | list):
        return so_far
    within = value.values() if isinstance(value, dict) else value
    return max((_depth(one, so_far + 1) for one in within if isinstance(one, dict | list)), default=so_far + 1)


def _csv(body: bytes) -> list[dict[str, Any]]:
    """The first line names the columns; NULL without quotes is null."""
    try:
        lines = list(csv.reader(io.StringIO(body.decode("utf-8-sig"), newline=""), strict=True))
    except (ValueError, csv.Error) as error:
        raise refusals.bad_body("Empty or invalid csv") from error
    lines = [line for line in lines if line]
    if not lines:
        return []
    names, *rows = lines
    if len(set(names)) != len(names) or any(len(row) != len(names) for row in rows):
        raise refusals.bad_body("All lines must have same number of fields")
    return [{name: None if value == "NULL" else value for name, value in zip(names, row, strict=True)} for row in rows]


def _no_number(text: str) -> NoReturn:
    raise ValueError(f"{text} is no JSON")
