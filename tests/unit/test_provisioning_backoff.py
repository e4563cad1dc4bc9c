"""How long a kind that failed is left alone."""

import pytest

from mlinfn_condor.provisioning.backoff import PATIENCE, WORDS, Failure, setback
from mlinfn_condor.provisioning.nodes import Trouble

NEVER = float("-inf")


def failure(asked, at, trouble=Trouble.IMAGE, name="t4-1", detail=""):
    return Failure(name, "t4", asked, at, trouble, detail)


@pytest.mark.parametrize("trouble", Trouble)
def test_every_cause_has_its_wait_which_grows_up_to_a_cap(trouble):
    waits = [PATIENCE[trouble].seconds(rounds) for rounds in range(1, 40)]
    assert waits == sorted(waits)
    assert waits[0] == PATIENCE[trouble].first < waits[1]
    assert waits[-1] == PATIENCE[trouble].cap
    assert WORDS[trouble]


def test_glideins_that_were_asked_for_together_fail_as_one_round():
    together = [failure(0, 50 + number, name=f"t4-{number}") for number in range(30)]
    assert setback(together, NEVER).rounds == 1


def test_each_try_that_fails_is_a_round_more():
    tries = [failure(0, 50), failure(110, 160), failure(400, 450)]
    stands = setback(tries, NEVER)
    assert stands.rounds == 3
    assert stands.until == 450 + PATIENCE[Trouble.IMAGE].seconds(3)


def test_a_glidein_that_joined_and_was_asked_for_later_forgives():
    assert setback([failure(0, 50)], forgiven=60) is None
    assert setback([failure(0, 50)], forgiven=40).rounds == 1


def test_the_words_tell_cause_detail_and_when_it_is_tried_again():
    stands = setback([failure(0, 50, detail="manifest unknown"), failure(110, 160, detail="manifest unknown")], NEVER)
    assert stands.words(160) == (
        "it failed 2 times, last because its image cannot be had (manifest unknown); next try in 3 min"
    )
    assert setback([failure(0, 50)], NEVER).words(9999) == (
        "it failed because its image cannot be had; it is tried again, one at a time"
    )
