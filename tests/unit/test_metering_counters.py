"""From looks to counters: what they count, what they leave out, and that they never fall."""

from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.metering.counters import LONGEST_GAP_SECONDS, MOST_WATTS, Counters, after
from mlinfn_condor.metering.look import POWER_READING_ERROR, Look
from mlinfn_condor.metering.samples import mean


def counted(*looks: Look) -> Counters:
    first, *others = looks
    return list(accumulate(others, after, initial=Counters(1_800_000_000, first)))[-1]


def test_busy_seconds_are_utilisation_times_the_time_since_the_look_before():
    counters = counted(Look(0, utilisation=0.9), Look(10, utilisation=0.5), Look(20, utilisation=1))
    assert (counters.busy_seconds, counters.measured_seconds) == (15, 20)


def test_a_time_of_which_utilisation_is_unknown_counts_nowhere():
    counters = counted(Look(0), Look(10, utilisation=0.5), Look(20), Look(30, utilisation=0.5))
    assert (counters.busy_seconds, counters.measured_seconds) == (10, 20)


def test_energy_is_what_the_cards_counter_rose():
    counters = counted(Look(0, energy_joules=500), Look(10, energy_joules=1500), Look(20, energy_joules=2500))
    assert (counters.joules, counters.energy_seconds, counters.energy_source) == (2000, 20, "counter")
    assert counters.energy_error == pytest.approx(POWER_READING_ERROR)


@pytest.mark.parametrize("jumped", [0, 5, 2**64 / 1000, 1500 + 10 * MOST_WATTS + 1], ids=str)
def test_a_counter_that_was_reset_or_wrapped_or_talks_nonsense_makes_one_interval_unknown(jumped):
    looks = [Look(0, energy_joules=500), Look(10, energy_joules=1500), Look(20, energy_joules=jumped)]
    counters = counted(*looks, Look(30, energy_joules=jumped + 700))
    assert (counters.joules, counters.energy_seconds) == (1700, 20)


def test_without_a_counter_power_is_integrated_and_its_error_stated():
    counters = counted(Look(0, power_watts=100), Look(10, power_watts=100), Look(20, power_watts=300))
    assert (counters.joules, counters.energy_seconds, counters.energy_source) == (3000, 20, "integrated")
    between = 100 * 10
    assert counters.energy_error == pytest.approx(POWER_READING_ERROR + between / 3000)


def test_power_stands_in_while_the_counter_is_away():
    looks = [Look(0, energy_joules=0, power_watts=100), Look(10, power_watts=100)]
    counters = counted(*looks, Look(20, energy_joules=5000, power_watts=100))
    assert (counters.joules, counters.energy_seconds) == (2000, 20)


def test_after_a_long_pause_the_counter_still_knows_but_samples_and_power_do_not():
    later = LONGEST_GAP_SECONDS + 1
    by_counter = counted(Look(0, energy_joules=0, utilisation=1), Look(later, energy_joules=600, utilisation=1))
    assert (by_counter.joules, by_counter.busy_seconds, by_counter.measured_seconds) == (600, 0, 0)
    assert counted(Look(0, power_watts=100), Look(later, power_watts=100)).energy_seconds == 0


def test_the_slices_of_a_card_share_its_energy_and_nothing_is_lost_or_twice():
    shares = [3 / 7, 2 / 7, 2 / 7]
    slices = [
        counted(Look(0, energy_joules=0, energy_share=share), Look(10, energy_joules=700, energy_share=share))
        for share in shares
    ]
    assert [counters.joules for counters in slices] == pytest.approx([300, 200, 200])
    # It may have been this slice that took all, or none.
    assert slices[0].energy_error == pytest.approx(400 / 300)


def test_when_a_card_is_cut_anew_the_interval_is_unknown():
    half, whole = {"energy_share": 0.5}, {"energy_share": 1.0}
    looks = [Look(0, energy_joules=0, **half), Look(10, energy_joules=100, **whole)]
    counters = counted(*looks, Look(20, energy_joules=200, **whole))
    assert (counters.joules, counters.energy_seconds) == (100, 10)


def test_simulated_energy_says_so_and_claims_no_error():
    counters = counted(Look(0, power_watts=30, simulated=True), Look(10, power_watts=30, simulated=True))
    assert (counters.joules, counters.energy_source, counters.energy_error) == (300, "simulated", None)


figures = st.none() | st.floats(0, 1e7, allow_nan=False)
looks = st.builds(
    lambda seconds, busy, energy, watts, share: (seconds, busy, energy, watts, share),
    st.floats(-5, 200),
    st.none() | st.floats(0, 1),
    figures,
    st.none() | st.floats(0, 700),
    st.sampled_from([1.0, 1.0, 0.5, 1 / 7]),
)


@given(st.lists(looks, min_size=2, max_size=20))
def test_whatever_a_driver_says_no_counter_ever_falls(drawn):
    at, counters = 0.0, None
    for seconds, busy, energy, watts, share in drawn:
        at += seconds
        look = Look(at, utilisation=busy, energy_joules=energy, power_watts=watts, energy_share=share)
        if counters is None:
            counters = Counters(0, look)
            continue
        following = after(counters, look)
        for name in ("busy_seconds", "measured_seconds", "joules", "energy_seconds", "doubtful_joules"):
            assert getattr(following, name) >= getattr(counters, name)
        assert following.busy_seconds <= following.measured_seconds
        assert following.energy_seconds <= max(0.0, at) + 200 * len(drawn)
        counters = following


SIXTH = 166_667


@pytest.mark.parametrize(
    ("before", "samples", "told"),
    [
        (0, [], None),
        (0, [(1_000_000, 90)], None),
        (0, [(1_000_000, 90), (1_000_000 + SIXTH, 40)], 0.4),
        (1_000_000, [(2_000_000, 0), (3_000_000, 100)], 0.5),
        (1_000_000, [(2_000_000, 4_026_531), (3_000_000, 30)], 0.3),
        # Eight seconds without a sample say nothing of those eight: the late sample stands for two at most.
        (1_000_000, [(2_000_000, 0), (10_000_000, 90)], 0.6),
    ],
)
def test_the_mean_of_samples_weighs_each_with_the_time_it_stands_for(before, samples, told):
    assert mean(before, samples) == (None if told is None else pytest.approx(told))
