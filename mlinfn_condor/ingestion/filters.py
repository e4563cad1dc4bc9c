"""Filters of PostgREST's query strings: `column=not.in.(1,2)`, `or=(a.lt.1,and(b.gt.2,b.lt.3))`. Pure."""

import re
from dataclasses import dataclass

from mlinfn_condor.ingestion import refusals
from mlinfn_condor.ingestion.refusals import BAD_REQUEST, Refusal

COMPARED = frozenset({"eq", "neq", "gt", "gte", "lt", "lte", "like", "ilike", "match", "imatch", "isdistinct"})
IS = frozenset({"null", "not_null", "true", "false", "unknown"})
ELSEWHERE = frozenset({"fts", "plfts", "phfts", "wfts", "cs", "cd", "ov", "sl", "sr", "nxr", "nxl", "adj"})
"""Operators that PostgREST has and this front end has not."""
DEEPEST = 10
"""Groups within groups."""
MOST = 200
"""Values of an `in`, and members of a group."""
_COLUMN = re.compile(r'"?([A-Za-z_]\w{0,62})"?')


@dataclass(frozen=True)
class Filter:
    """One comparison; `values` are texts, which PostgreSQL reads as the column's type."""

    column: str
    operator: str
    values: tuple[str, ...]
    negated: bool = False


@dataclass(frozen=True)
class Group:
    """Conditions that all (`and`) or of which any (`or`) must hold."""

    joined_by: str
    members: "tuple[Condition, ...]"
    negated: bool = False


Condition = Filter | Group


def read_condition(column: str, text: str) -> Filter:
    """`column=text` of the query string. Raises Refusal."""
    name = _COLUMN.fullmatch(column)
    if name is None:
        if re.search(r"->|\.", column):
            raise refusals.not_covered(f"{column[:100]}: filters on paths and embedded resources")
        raise refusals.unparsed(f"filter ({column})")
    negated = text.startswith("not.")
    operator, dot, value = text.removeprefix("not.").partition(".")
    if operator.partition("(")[0] in ELSEWHERE | COMPARED and ("(" in operator or operator in ELSEWHERE):
        raise refusals.not_covered(f"operator {operator[:40]}")
    if not dot:
        raise refusals.unparsed(f"filter ({text})")
    if operator in COMPARED:
        return Filter(name[1], operator, (value,), negated)
    if operator == "is":
        if value.lower() not in IS:
            raise refusals.unparsed(f"filter ({text})")
        return Filter(name[1], "is", (value.lower(),), negated)
    if operator == "in":
        if not (value.startswith("(") and value.endswith(")")):
            raise refusals.unparsed(f"filter ({text})")
        return Filter(name[1], "in", tuple(_unquoted(part) for part in _few(split(value[1:-1]))), negated)
    raise refusals.unparsed(f"filter ({text})")


def read_group(name: str, text: str, depth: int = 1) -> Group:
    """`or=(…)`, `not.and=(…)`. Raises Refusal."""
    if depth > DEEPEST:
        raise refusals.unparsed(f"logic tree: deeper than {DEEPEST}")
    if not (text.startswith("(") and text.endswith(")")) or len(text) < 3:
        raise refusals.unparsed(f"logic tree ({text})")
    members = tuple(_member(part.strip(), depth) for part in _few(split(text[1:-1])))
    return Group(name.removeprefix("not."), members, name.startswith("not."))


def _member(text: str, depth: int) -> Condition:
    if match := re.match(r"((?:not\.)?(?:and|or))\(", text):
        return read_group(match[1], text[len(match[1]) :], depth + 1)
    column, dot, condition = text.partition(".")
    if not dot:
        raise refusals.unparsed(f"logic tree ({text})")
    found = read_condition(column, condition)
    if found.operator in COMPARED:
        return Filter(found.column, found.operator, (_unquoted(found.values[0]),), found.negated)
    return found


def split(text: str) -> list[str]:
    """Parts between commas that are in no quotes and no parentheses."""
    parts, part, quoted, depth, escaped = [], "", False, 0, False
    for letter in text:
        if escaped:
            escaped = False
        elif letter == "\\" and quoted:
            escaped = True
        elif letter == '"':
            quoted = not quoted
        elif not quoted and letter in "()":
            depth += 1 if letter == "(" else -1
        elif letter == "," and not quoted and depth == 0:
            parts.append(part)
            part = ""
            continue
        part += letter
    if quoted or depth:
        raise refusals.unparsed(f"list ({text})")
    return [*parts, part] if text else []


def _few(parts: list[str]) -> list[str]:
    if len(parts) > MOST:
        raise Refusal(BAD_REQUEST, "PGRST100", f'"failed to parse list: more than {MOST} members"')
    return parts


def _unquoted(text: str) -> str:
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text
