"""The computation tells a right result from one with a block missing, doubled or wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("distributed")

from mlinfn_condor.dask.computation import block_sum, result_of


def sums(blocks, steps=50):
    return [block_sum(block, blocks, steps) for block in range(blocks)]


@given(blocks=st.integers(1, 20), steps=st.integers(1, 200))
def test_all_blocks_together_are_pi_within_the_proven_bound(blocks, steps):
    assert result_of(sums(blocks, steps), steps, seconds=1).right


@given(lost=st.integers(0, 15))
def test_a_lost_block_is_noticed(lost):
    parts = sums(16)
    del parts[lost]
    assert not result_of(parts, 50, seconds=1).right


@given(doubled=st.integers(0, 15))
def test_a_block_counted_twice_is_noticed(doubled):
    parts = sums(16)
    assert not result_of([*parts, parts[doubled]], 50, seconds=1).right


def test_a_wrong_block_is_noticed():
    parts = sums(16)
    parts[3] = replace(parts[3], area=parts[3].area * 1.001)
    assert not result_of(parts, 50, seconds=1).right


def test_who_computed_how_much_is_counted():
    assert result_of(sums(4), 50, seconds=1).blocks_by_worker == {"this process": 4}
