"""Figures are computed, `holds` too, and the object has its form."""

import pytest

from mlinfn_condor.bench.figures import Beside, Case, Measured, distribution, holds


def test_a_distribution_has_median_nearest_rank_and_worst() -> None:
    figures = distribution([0.1 * n for n in range(20, 0, -1)])
    assert figures == pytest.approx({"median_s": 1.05, "p95_s": 1.9, "worst_s": 2.0, "n": 20})


def test_one_time_is_its_own_distribution() -> None:
    assert distribution([0.25]) == {"median_s": 0.25, "p95_s": 0.25, "worst_s": 0.25, "n": 1}


@pytest.mark.parametrize(
    ("figures", "target", "expected"),
    [
        ({"worst_s": 4}, {"worst_s": ("<=", 4)}, True),
        ({"worst_s": 4.001}, {"worst_s": ("<=", 4)}, False),
        ({"n": 999}, {"n": (">=", 1000)}, False),
        ({"n": 1000, "lost": 1}, {"n": (">=", 1000), "lost": ("<=", 0)}, False),
        ({"n": 1000}, {"n": (">=", 1000), "lost": ("<=", 0)}, False),
        ({"anything": 1}, {}, True),
    ],
)
def test_holds_follows_from_figures_and_target(figures, target, expected) -> None:
    assert holds(figures, target) is expected


def test_a_case_tells_itself_in_the_common_form() -> None:
    beside = Beside("the default", Measured({"worst_s": 300}))
    told = Case("burst", Measured({"worst_s": 5}, {"start_s": [5]}), {"worst_s": ("<=", 4)}, beside).as_json()
    assert told["figures"] == {"worst_s": 5}
    assert (told["target"], told["holds"]) == ({"worst_s": ["<=", 4]}, False)
    assert told["beside"]["name"] == "the default"
    assert told["beside"]["figures"] == {"worst_s": 300}


def test_a_case_without_anything_beside_it_says_nothing_of_it() -> None:
    assert "beside" not in Case("handovers", Measured({"n": 1}), {"n": (">=", 1)}).as_json()
