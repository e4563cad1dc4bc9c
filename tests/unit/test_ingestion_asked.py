"""What a request of PostgREST's kind says, and what is refused before anybody asks the database."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.ingestion import asked, bodies
from mlinfn_condor.ingestion.filters import Filter, Group, read_condition, read_group, split
from mlinfn_condor.ingestion.refusals import Refusal


def test_a_filter_is_an_operator_and_a_value_with_all_its_points() -> None:
    assert read_condition("a", "eq.1.5") == Filter("a", "eq", ("1.5",))
    assert read_condition('"a"', 'not.in.(1,"2,3",x)') == Filter("a", "in", ("1", "2,3", "x"), negated=True)
    assert read_condition("a", "is.NULL") == Filter("a", "is", ("null",))


def test_groups_nest_and_deny() -> None:
    found = read_group("not.or", '(a.eq."x,)y",and(b.gt.1,c.not.is.null))')
    inner = Group("and", (Filter("b", "gt", ("1",)), Filter("c", "is", ("null",), negated=True)))
    assert found == Group("or", (Filter("a", "eq", ("x,)y",)), inner), negated=True)


@pytest.mark.parametrize("text", ["1", "eq", "xx.1", "in.1", "is.maybe", "not", "in.(1"])
def test_a_filter_that_is_none_is_told_of(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        read_condition("a", text)
    assert (caught.value.status, caught.value.code) == (400, "PGRST100")


def test_ranges_of_header_and_query_are_both_kept() -> None:
    found = asked.reading([("limit", "5"), ("order", "a.desc.nullslast,b")], "10-99", "items")
    assert (found.offset, found.limit) == (10, 5)
    assert [(each.name, each.descending, each.nulls_first) for each in found.order] == [
        ("a", True, False),
        ("b", False, None),
    ]


def test_preferences_come_in_one_header_or_several() -> None:
    found = asked.preferences(["return=representation, count=exact", "resolution=ignore-duplicates"])
    assert found == asked.Preferences("representation", True, "ignore-duplicates")


def test_rows_have_the_same_keys_unless_the_address_names_them() -> None:
    body = b'[{"a": 1}, {"b": 2}]'
    assert bodies.read(body, "application/json", ("a", "b")).count == 2
    with pytest.raises(Refusal) as caught:
        bodies.read(body, "application/json", None)
    assert caught.value.message == "All object keys must match"


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=60), st.text(max_size=60))
def test_no_query_makes_anything_but_conditions_or_a_refusal(name: str, value: str) -> None:
    for read in (lambda: asked.reading([(name, value)], value, None), lambda: asked.writing([(name, value)])):
        try:
            read()
        except Refusal as refusal:
            assert 400 <= refusal.status < 500  # noqa: PT017 - either outcome is right


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=80), st.sampled_from(["application/json", "text/csv"]))
def test_no_body_makes_anything_but_rows_or_a_refusal(body: bytes, kind: str) -> None:
    try:
        bodies.read(body, kind, None)
    except Refusal as refusal:
        assert refusal.status in (400, 415)  # noqa: PT017 - either outcome is right


@given(st.lists(st.text(st.characters(exclude_characters='",()\\'), min_size=1, max_size=5), min_size=1, max_size=5))
def test_lists_come_apart_at_their_commas(parts: list[str]) -> None:
    assert split(",".join(parts)) == parts
