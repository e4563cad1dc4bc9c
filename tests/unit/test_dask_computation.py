"""The computation tells a right result from one with a block missing, doubled or wrong."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("distributed")

from mlinfn_condor.bench.dask_disturbed import at_work
from mlinfn_condor.dask.computation import block_sum, repeated, result_of


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


def test_blocks_that_are_computed_again_are_counted(tmp_path):
    journal = tmp_path / "journal"
    for block in (0, 1, 1, 2, 0, 0):
        block_sum(block, 3, 50, journal=str(journal))
    assert repeated(str(journal)) == 3


def test_only_who_computed_lately_is_at_work(tmp_path):
    journal = tmp_path / "journal"
    assert at_work(journal, 2) == set()
    journal.write_text("".join(f"{block} {name}\n" for block, name in enumerate("abbcbc")))
    assert at_work(journal, 2) == {"b", "c"}
