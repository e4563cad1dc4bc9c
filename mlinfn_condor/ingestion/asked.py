"""What a request asks for, from its query string and headers: pure. Raises Refusal for what PostgREST would refuse too,
and for what it has and this front end has not."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from mlinfn_condor.ingestion import refusals
from mlinfn_condor.ingestion.filters import Condition, read_condition, read_group, split
from mlinfn_condor.ingestion.refusals import Refusal

RESERVED = frozenset({"select", "order", "limit", "offset", "columns", "on_conflict", "and", "or", "not.and", "not.or"})
_PLAIN = re.compile(r'"?([A-Za-z_][A-Za-z0-9_ ]{0,62})"?')
_ITEM = re.compile(r'(?:"?(?P<alias>[A-Za-z_][A-Za-z0-9_]{0,62})"?:)?"?(?P<name>[A-Za-z_*][A-Za-z0-9_]{0,62})"?')
_ORDER = re.compile(r'"?(\w+)"?(?:\.(asc|desc))?(?:\.(nullsfirst|nullslast))?')
_RANGE = re.compile(r"(\d{1,18})-(\d{1,18})?")


@dataclass(frozen=True)
class Preferences:
    """Header `Prefer`; what is unknown in it is ignored, as it is meant to be."""

    returns: str = "minimal"
    counts: bool = False
    resolution: str | None = None
    missing: str | None = None

    @property
    def applied(self) -> str:
        """Header `Preference-Applied`."""
        told = [f"return={self.returns}"] + (["count=exact"] if self.counts else [])
        told += [f"resolution={self.resolution}"] if self.resolution else []
        return ", ".join(told + ([f"missing={self.missing}"] if self.missing else []))


@dataclass(frozen=True)
class Selected:
    """A column of the answer; `*` is all of them."""

    name: str
    alias: str | None = None


@dataclass(frozen=True)
class Ordered:
    """`order=name.desc.nullslast`."""

    name: str
    descending: bool = False
    nulls_first: bool | None = None


@dataclass(frozen=True)
class Reading:
    """A GET or HEAD."""

    select: tuple[Selected, ...]
    conditions: tuple[Condition, ...]
    order: tuple[Ordered, ...]
    offset: int
    limit: int | None


@dataclass(frozen=True)
class Writing:
    """A POST, without its rows."""

    select: tuple[Selected, ...]
    columns: tuple[str, ...] | None
    on_conflict: tuple[str, ...]


Query = Sequence[tuple[str, str]]
"""Names and values of the query string, in their order."""


def preferences(headers: Iterable[str]) -> Preferences:
    """Of all `Prefer` headers together; of a preference that is there twice the first counts."""
    told: dict[str, str] = {}
    for part in (part for header in headers for part in re.split(r"[,;]", header)):
        name, _, value = part.strip().partition("=")
        told.setdefault(name.strip().lower(), value.strip().strip('"').lower())
    if told.get("tx") == "rollback":
        raise refusals.not_covered("Prefer: tx=rollback")
    returns, resolution = told.get("return", "minimal"), told.get("resolution")
    return Preferences(
        returns if returns in ("minimal", "headers-only", "representation") else "minimal",
        told.get("count") in ("exact", "planned", "estimated"),
        resolution if resolution in ("merge-duplicates", "ignore-duplicates") else None,
        "default" if told.get("missing") == "default" else None,
    )


def reading(query: Query, range_header: str | None, range_unit: str | None) -> Reading:
    """A GET or HEAD."""
    once = _once(query, ("select", "order", "limit", "offset"))
    _refuse(query, ("columns", "on_conflict"))
    first, last = _range(range_header, range_unit)
    limit, offset = _number(once, "limit"), _number(once, "offset")
    if last is not None:
        length = last - first + 1
        limit = length if limit is None else min(limit, length)
    return Reading(
        _selected(once.get("select")), tuple(_conditions(query)), _ordered(once.get("order")), offset or first, limit
    )


def writing(query: Query) -> Writing:
    """A POST."""
    once = _once(query, ("select", "columns", "on_conflict"))
    if others := sorted({name for name, _ in query} - once.keys()):
        raise refusals.unparsed(f"filter of an insert ({others[0]})")
    return Writing(
        _selected(once.get("select")), _names(once["columns"]) if "columns" in once else None,
        _names(once.get("on_conflict", "")),
    )  # fmt: skip


def _once(query: Query, names: Sequence[str]) -> Mapping[str, str]:
    told: dict[str, str] = {}
    for name, value in query:
        if name in names:
            if name in told:
                raise refusals.unparsed(f"{name}: it is there twice")
            told[name] = value
    return told


def _refuse(query: Query, names: Sequence[str]) -> None:
    for name, _ in query:
        if name in names:
            raise refusals.unparsed(f"{name}: only an insert has it")


def _names(text: str) -> tuple[str, ...]:
    found = []
    for part in split(text):
        if not (match := _PLAIN.fullmatch(part.strip())):
            raise refusals.unparsed(f"columns ({text})")
        found.append(match[1])
    return tuple(found)


def _selected(text: str | None) -> tuple[Selected, ...]:
    if not text:
        return (Selected("*"),)
    found = []
    for part in split(text):
        if match := _ITEM.fullmatch(part.strip()):
            found.append(Selected(match["name"], match["alias"]))
        elif re.search(r"::|->|\(|\.", part):
            raise refusals.not_covered(f"select={part[:100]}: casts, paths, embedded resources and sums")
        else:
            raise refusals.unparsed(f"select parameter ({text})")
    return tuple(found)


def _ordered(text: str | None) -> tuple[Ordered, ...]:
    found = []
    for part in split(text or ""):
        if not (match := _ORDER.fullmatch(part.strip())):
            raise refusals.unparsed(f"order ({text})")
        found.append(Ordered(match[1], match[2] == "desc", None if match[3] is None else match[3] == "nullsfirst"))
    return tuple(found)


def _conditions(query: Query) -> Iterable[Condition]:
    for name, value in query:
        if name in ("and", "or", "not.and", "not.or"):
            yield read_group(name, value)
        elif name not in RESERVED:
            yield read_condition(name, value)


def _number(once: Mapping[str, str], name: str) -> int | None:
    text = once.get(name)
    if text is None:
        return None
    if re.fullmatch(r"-\d{1,18}", text):
        raise _out_of_range(f"{name.capitalize()} should be greater than or equal to zero.")
    if not re.fullmatch(r"[0-9]{1,18}", text):
        raise refusals.unparsed(f"{name} ({text})")
    return int(text)


def _range(header: str | None, unit: str | None) -> tuple[int, int | None]:
    """First and last row that are asked for. A header that is none is none, as HTTP has it."""
    match = _RANGE.fullmatch(header.removeprefix("items=").strip()) if header else None
    if match is None or (unit or "items") != "items":
        return 0, None
    first, last = int(match[1]), int(match[2]) if match[2] else None
    if last is not None and last < first:
        raise _out_of_range("The lower boundary must be lower than or equal to the upper boundary in the Range header.")
    return first, last


def _out_of_range(details: str) -> Refusal:
    return Refusal(416, "PGRST103", "Requested range not satisfiable", details)


def offset_out_of_range(offset: int, total: int) -> Refusal:
    """Known only when the rows were counted."""
    return _out_of_range(f"An offset of {offset} was requested, but there are only {total} rows.")
