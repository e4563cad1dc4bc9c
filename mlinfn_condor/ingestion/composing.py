"""Requests as SQL: fixed texts with names from the catalogue, each quoted; what a client sent is always a parameter."""

from collections.abc import Iterable, Sequence

from mlinfn_condor.ingestion.asked import Ordered, Preferences, Reading, Selected, Writing
from mlinfn_condor.ingestion.bodies import Rows
from mlinfn_condor.ingestion.catalogue import Offered
from mlinfn_condor.ingestion.filters import Condition, Filter
from mlinfn_condor.ingestion.refusals import BAD_REQUEST, Refusal
from mlinfn_condor.ingestion.statements import SQL
from mlinfn_condor.store.composing import Composable, Composed, Identifier, Literal, Text, joined, statement

_COMPARED = {
    "eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<=", "like": "LIKE", "ilike": "ILIKE",
    "match": "~", "imatch": "~*", "isdistinct": "IS DISTINCT FROM",
}  # fmt: skip
_IS = {"null": "NULL", "not_null": "NOT NULL", "true": "TRUE", "false": "FALSE", "unknown": "UNKNOWN"}


def page(table: Offered, asked: Reading, most: int) -> Composed:
    """The rows that a GET asks for, at most so many."""
    limit = most if asked.limit is None else min(asked.limit, most)
    return statement(
        SQL.text("read_rows"), columns=_selected(table, asked.select), table=Identifier(table.name),
        where=_where(table, asked.conditions), order=_order(table, asked.order),
        limit=Literal(limit), offset=Literal(asked.offset),
    )  # fmt: skip


def total(table: Offered, asked: Reading) -> Composed:
    """How many rows there are, page or not."""
    where = _where(table, asked.conditions)
    return statement(SQL.text("count_rows"), table=Identifier(table.name), where=where)


def insert(table: Offered, asked: Writing, rows: Rows, preferred: Preferences) -> Composed:
    """All rows in one statement. Its parameter is `rows`."""
    columns = asked.columns if asked.columns is not None else rows.columns
    if unknown := [name for name in columns if name not in table.types]:
        raise Refusal(
            BAD_REQUEST, "PGRST204",
            f"Could not find the '{unknown[0][:63]}' column of '{table.name}' in the schema cache",
        )  # fmt: skip
    if not columns:
        return statement(SQL.text("insert_defaults"), table=Identifier(table.name))
    names = tuple(dict.fromkeys(columns))
    wants_rows = preferred.returns == "representation"
    return statement(
        SQL.text("insert_rows"), table=Identifier(table.name), columns=joined(", ", map(Identifier, names)),
        values=joined(", ", (_value(name, preferred) for name in names)),
        typed=joined(", ", (joined(" ", (Identifier(name), Text(table.types[name]))) for name in names)),
        conflict=_conflict(table, asked, names, preferred),
        returned=_selected(table, asked.select if wants_rows else (Selected("*"),)),
        answer=Text("(SELECT coalesce(json_agg(told), '[]')::text FROM told)" if wants_rows else "NULL"),
    )  # fmt: skip


def _value(name: str, preferred: Preferences) -> Composable:
    column = Identifier("sent", name)
    if name == "id" and preferred.missing == "default":  # the only column that a client may leave to its default
        return Text("coalesce({}, gen_random_uuid())").format(column)
    return column


def _conflict(table: Offered, asked: Writing, columns: Sequence[str], preferred: Preferences) -> Composable:
    if preferred.resolution is None:
        return Text("")
    target = joined(", ", (Identifier(table.check(name)) for name in asked.on_conflict or table.key))
    if preferred.resolution == "ignore-duplicates":
        return Text("ON CONFLICT ({}) DO NOTHING").format(target)
    changes = joined(", ", (Text("{0} = excluded.{0}").format(Identifier(name)) for name in columns))
    return Text("ON CONFLICT ({}) DO UPDATE SET {}").format(target, changes)


def _selected(table: Offered, wanted: Iterable[Selected]) -> Composable:
    found: list[Composable] = []
    for each in wanted:
        if each.name == "*":
            found += map(Identifier, table.types)
        else:
            column = Identifier(table.check(each.name))
            found.append(Text("{} AS {}").format(column, Identifier(each.alias)) if each.alias else column)
    return joined(", ", found)


def _where(table: Offered, conditions: Iterable[Condition]) -> Composable:
    return joined(" AND ", [Text("true"), *(_condition(table, one) for one in conditions)])


def _condition(table: Offered, asked: Condition) -> Composable:
    if isinstance(asked, Filter):
        told = _filter(table, asked)
    else:
        told = joined(f" {asked.joined_by.upper()} ", (_condition(table, one) for one in asked.members))
    return Text("NOT ({})" if asked.negated else "({})").format(told)


def _filter(table: Offered, asked: Filter) -> Composable:
    column = Identifier(table.check(asked.column))
    if asked.operator == "is":
        return Text(f"{{}} IS {_IS[asked.values[0]]}").format(column)
    if asked.operator == "in":
        if not asked.values:
            return Text("false")
        return Text("{} IN ({})").format(column, joined(", ", map(_literal, asked.values)))
    value = asked.values[0]
    if asked.operator in ("like", "ilike"):
        value = value.replace("*", "%")
    return Text(f"{{}} {_COMPARED[asked.operator]} {{}}").format(column, _literal(value))


def _literal(value: str) -> Composable:
    """Quoted, and of no type yet: PostgreSQL reads it as the column's."""
    if "\x00" in value:
        raise Refusal(BAD_REQUEST, "22021", "no text has a zero in it")
    return Literal(value)


def _order(table: Offered, wanted: Sequence[Ordered]) -> Composable:
    if not wanted:
        return Text("")
    return Text("ORDER BY {}").format(joined(", ", (_ordered(table, each) for each in wanted)))


def _ordered(table: Offered, asked: Ordered) -> Composable:
    nulls = {None: "", True: " NULLS FIRST", False: " NULLS LAST"}[asked.nulls_first]
    return Text(f"{{}} {'DESC' if asked.descending else 'ASC'}{nulls}").format(Identifier(table.check(asked.name)))
