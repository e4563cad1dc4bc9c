"""The bench of plans: its peer, its trace, its arithmetic."""

import pytest

from mlinfn_condor.bench.arrivals import DAY, week
from mlinfn_condor.bench.made_up import Work
from mlinfn_condor.bench.plan_largest import made_up, slope
from mlinfn_condor.bench.plan_week import Ours, Prp, latency, play
from mlinfn_condor.bench.prp import PrpSite, wanted
from mlinfn_condor.classes import PriorityClass


@pytest.mark.parametrize(("idle", "pods"), [(1, 1), (3, 1), (4, 2), (40, 11), (76, 20), (1000, 20)])
def test_the_peer_wants_one_pod_and_a_quarter_of_the_idle_jobs(idle, pods):
    assert wanted(idle) == pods


def work(number, cpus=1, **fields):
    return Work(number, PriorityClass.BATCH, "alpha", cpus, 1024, **fields)


def test_the_peers_pods_take_their_own_shape_only_and_leave_after_their_time():
    site = PrpSite({}, 100, lambda name, now: 60)
    site.submit(work(1), 0)
    site.loop(0)
    site.join(60)
    site.idle = [work(2, cpus=2)]
    assert site.match(60) == []
    site.idle = [work(3)]
    assert len(site.match(60)) == 1
    site.end(site.pods[0].work, site.pods[0], 100)
    site.leave(1299)
    assert len(site.pods) == 1
    site.leave(1300)
    assert site.pods == []


def test_the_peers_pods_wait_for_machines():
    site = PrpSite({"T4": 1}, 0, lambda name, now: 60)
    for number in range(8):
        site.submit(work(number, devices=1, model="T4"), 0)
    site.loop(0)
    site.join(60)
    assert (len(site.pods), sum(pod.running for pod in site.pods)) == (3, 1)


def test_the_week_is_the_same_each_time_and_has_its_nights_and_weekends():
    first, again = week(), week()
    assert [vars(one) for one in first] == [vars(one) for one in again]
    sessions = [one.arrives for one in first if one.priority_class is PriorityClass.INTERACTIVE]
    assert all(8 * 3600 <= moment % DAY < 19 * 3600 for moment in sessions)
    weekend = sum(moment >= 5 * DAY for moment in sessions)
    assert 0 < weekend < len(sessions) / 7


def test_both_sides_finish_the_same_small_trace():
    works = week(1)[:40]
    tallies = [play(player, works, DAY) for player in (Ours(latency), Prp(latency))]
    assert [tally.done for tally in tallies] == [len(works)] * 2
    assert tallies[0].idle_seconds < tallies[0].pod_seconds


def test_the_largest_case_is_as_large_as_it_says():
    jobs, slots, glideins, _ = made_up(1 / 50)
    assert (len(jobs), len(glideins)) == (2000, 40)
    assert len(slots) > 80


def test_the_slope_is_the_exponent():
    assert slope([1, 2, 4, 8], [3, 6, 12, 24]) == pytest.approx(1)
    assert slope([1, 2, 4, 8], [1, 4, 16, 64]) == pytest.approx(2)
