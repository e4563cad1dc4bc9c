"""Which names may become identities of the pool."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.identity.names import ROLES, identity, shown


@pytest.mark.parametrize("name", ["alice", "_a", "a.b-c_d9", "a" * 32])
def test_an_identity_stays_as_it_is(name):
    assert identity(name) == name


HOSTILE = [
    "",
    "Alice",
    "1a",
    "-a",
    ".a",
    "a b",
    "a\n",
    "a/b",
    "../a",
    "a@b",
    "a" * 33,
    "älice",
    "a\0",
    "$(a)",
    "a,b",
    None,
    7,
]


@pytest.mark.parametrize("name", HOSTILE)
def test_any_other_name_is_refused_with_a_sentence(name):
    with pytest.raises(BadRequest, match="small letters"):
        identity(name)


@pytest.mark.parametrize("name", sorted(ROLES))
def test_nobody_takes_the_name_of_a_role(name):
    with pytest.raises(BadRequest, match="role of this pool"):
        identity(name)


@given(st.text(max_size=80))
def test_whatever_is_refused_is_shown_on_one_harmless_line(text):
    line = shown(text)
    assert set(line) <= set(string.printable) - set("\n\r\t\v\f") | {"…"}
    assert len(line) <= 41
