"""Percentiles of histograms, how sure they are, and what a smaller request would bring."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlinfn_condor.accounting.reports import sizes

NODE = sizes.Node("node", cpus=64, memory_mb=256_000, devices=4)


@settings(derandomize=True, database=None)
@given(st.lists(st.integers(1, 40), min_size=1, max_size=60), st.sampled_from([0.5, 0.9, 0.95, 0.99]))
def test_a_percentile_is_the_smallest_value_that_serves_so_many(values: list[int], part: float) -> None:
    histogram = {value: values.count(value) for value in values}
    found = sizes.percentile(histogram, part)
    assert sum(value <= found for value in values) >= part * len(values) - 1e-9
    assert sum(value < found for value in values) < part * len(values)


@pytest.mark.parametrize(
    ("tasks", "rank"), [(1, None), (58, None), (59, 59), (93, 92), (100, 99), (1000, 962), (0, None)]
)
def test_the_rank_that_is_surely_above_the_percentile(tasks: int, rank: int | None) -> None:
    assert sizes.sure_rank(tasks) == rank


def test_the_bound_holds_as_often_as_it_says() -> None:
    drawn = random.Random(1)
    rank = sizes.sure_rank(200)
    assert rank is not None
    held = sum(sorted(drawn.random() for _ in range(200))[rank - 1] >= 0.95 for _ in range(2000))
    assert 0.94 < held / 2000 < 0.99


def test_many_tasks_have_a_bound_close_to_the_percentile() -> None:
    rank = sizes.sure_rank(1_000_000)
    assert rank is not None
    assert 950_000 < rank < 950_500


@pytest.mark.parametrize(("average", "cores"), [(0.0, 1), (0.3, 1), (1.0, 1), (1.1, 2), (3.9000001, 4)])
def test_cores_are_whole(average: float, cores: int) -> None:
    assert sizes.whole_cores(average) == cores


@pytest.mark.parametrize(("peak", "request_mb"), [(0, 128), (1, 128), (128, 128), (129, 256)])
def test_memory_is_in_steps(peak: float, request_mb: int) -> None:
    assert sizes.whole_memory_mb(peak) == request_mb


def test_a_node_holds_as_many_as_its_scarcer_part() -> None:
    assert sizes.holds(NODE, 8, 32_000) == 8
    assert sizes.holds(NODE, 4, 64_000) == 4


@pytest.mark.parametrize(
    ("cpus", "memory_mb", "percent"),
    [(16, 1_000, 0), (8, 1_000, 25), (1, 63_000, 0), (1, 31_000, 25), (1, 1_000, 46), (99, 1_000, 0)],
)
def test_the_site_file_keeps_room_for_the_request_on_each_device(cpus: int, memory_mb: int, percent: int) -> None:
    assert sizes.bare_percent(NODE, cpus, memory_mb, reserve_mb=1000) == percent
    bare_cpus, bare_mb = NODE.cpus * percent / 100, NODE.memory_mb * percent / 100
    if percent:
        assert (NODE.cpus - 2 * bare_cpus) / NODE.devices >= cpus
        assert (NODE.memory_mb - 2 * bare_mb) / NODE.devices - 1000 >= memory_mb
