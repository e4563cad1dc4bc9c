"""What is asked for, kept and given back, one rule at a time."""

from dataclasses import replace

import pytest
from small_site import (
    A100,
    BATCH,
    CPU,
    DASK,
    NOW,
    PORTIONS,
    SESSION,
    T4,
    glidein,
    kept_on,
    look,
    node,
    planned,
    removed,
    retired,
    settings,
    started,
    work,
)

from mlinfn_condor.provisioning.actions import Start
from mlinfn_condor.provisioning.backoff import Failure
from mlinfn_condor.provisioning.demand import needs
from mlinfn_condor.provisioning.nodes import Phase, Trouble
from mlinfn_condor.provisioning.plan import plan

SITE = settings(t4=T4, a100=A100, cpu=CPU)


# --- asking ---


def test_an_empty_site_without_demand_asks_for_nothing():
    assert planned(SITE).actions == ()


def test_jobs_share_the_nodes_that_are_asked_for():
    decided = planned(SITE, [work() for _ in range(5)])
    assert started(decided) == ["t4-1", "t4-2", "t4-3"]
    first = decided.actions[0]
    assert first.reason == "for 5 batch jobs of alpha, each asking 1 T4, 1 core and 1.0 GB of memory"


@pytest.mark.parametrize("shape", [{"cpus": 6}, {"memory_mb": 20_000}, {"model": ""}, {"priority_class": DASK}])
def test_room_that_is_there_or_coming_serves_other_shapes_too(shape):
    asked = [glidein("t4-1", Phase.ASKED)]
    assert started(planned(SITE, [work(**shape)], [node("t4-1", SITE)])) == []
    assert started(planned(SITE, [work(**shape)], glideins=asked)) == []


def test_a_node_for_a_device_has_room_for_jobs_without_one():
    jobs = [work(), work(devices=0)]
    assert started(planned(SITE, jobs)) == ["t4-1"]


def test_jobs_without_a_device_alone_get_no_node_that_has_some():
    assert started(planned(SITE, [work(devices=0)])) == ["cpu-1"]
    only_gpus = settings(t4=T4)
    assert started(planned(only_gpus, [work(devices=0)])) == ["t4-1"]
    full = settings(t4=T4, cpu=CPU | {"most": 0})
    assert started(planned(full, [work(devices=0)])) == []


def test_names_are_the_smallest_free_numbers():
    there = [glidein("t4-1", Phase.ASKED), glidein("t4-3", Phase.ENDED)]
    assert started(planned(SITE, [work() for _ in range(6)], glideins=there)) == ["t4-2", "t4-4"]


def test_a_projects_own_kind_comes_before_a_pledged_one_and_that_before_an_opportunistic_one():
    kinds = {
        "guest": T4 | {"pledged": False, "most": 1},
        "own": T4 | {"owner_project": "alpha", "pledged": False, "most": 1},
        "pledged": T4 | {"most": 1},
        "theirs": T4 | {"owner_project": "beta", "most": 1},
    }
    decided = planned(settings(**kinds), [work(devices=2) for _ in range(4)])
    assert started(decided) == ["own-1", "pledged-1", "theirs-1", "guest-1"]


def wishing(wish):
    job = work().job()
    return needs([replace(job, ad=job.ad | {"RequireGPUs": wish})])


def test_a_wish_about_a_property_is_met_by_what_the_settings_say_of_the_devices_until_one_shows_its_own():
    wish = tuple(wishing("GlobalMemoryMb > 30000"))
    said = settings(a100=A100 | {"properties": {"GlobalMemoryMb": 40_960}})
    assert started(plan(replace(look(), needs=wish), said, PORTIONS)) == ["a100-1"]
    shown = node("a100-1", settings(a100=A100 | {"properties": {"GlobalMemoryMb": 20_480}}))
    (fate,) = plan(replace(look((), [shown]), needs=wish), said, PORTIONS).blocked
    assert fate.reason == "no kind of node has 1 GPU with GlobalMemoryMb > 30000"


def test_models_that_only_other_nodes_have_serve_too():
    other = settings(old=T4 | {"model": "P100"})
    seen = look([work(model="P100")], [node("old-1", other)], [])
    for slot in seen.slots:
        slot.ad.pop("MlinfnGlideinUid", None)
    assert plan(seen, SITE, PORTIONS).blocked == ()


# --- displacing ---


def test_a_session_displaces_batch_and_asks_for_nothing():
    full = node("t4-1", SITE, work(), work())
    assert started(planned(SITE, [work(SESSION)], [full])) == []


def test_a_session_asks_for_a_node_when_sessions_hold_all_devices():
    full = node("t4-1", SITE, work(SESSION), work(SESSION))
    assert started(planned(SITE, [work(SESSION)], [full])) == ["t4-2"]


def test_batch_displaces_no_batch_and_dask_no_dask():
    for each in (BATCH, DASK):
        full = node("t4-1", SITE, work(each), work(each))
        assert started(planned(SITE, [work(each)], [full])) == ["t4-2"]


def test_dask_and_owners_take_what_gives_way_to_them():
    owned = settings(t4=T4 | {"owner_project": "alpha"})
    guests = node("t4-1", owned, work(project="beta"), work(project="beta"))
    assert started(planned(owned, [work(project="alpha")], [guests])) == []
    assert started(planned(owned, [work(DASK, project="gamma")], [guests])) == []
    dask = node("t4-1", owned, work(DASK, project="beta"), work(DASK, project="beta"))
    assert started(planned(owned, [work(project="alpha")], [dask])) == []
    owners = node("t4-1", owned, work(project="alpha"), work(project="alpha"))
    assert started(planned(owned, [work(DASK, project="gamma")], [owners])) == ["t4-2"]


def test_one_victim_hands_its_slot_over_and_two_small_ones_make_no_large_one():
    full = node("t4-1", SITE, work(), work())
    assert started(planned(SITE, [work(DASK, devices=2)], [full])) == ["t4-2"]
    whole = node("t4-1", SITE, work(devices=2))
    assert started(planned(SITE, [work(DASK, devices=2)], [whole])) == []


def test_a_victim_leaves_with_all_its_devices():
    whole = node("t4-1", SITE, work(devices=2))
    assert started(planned(SITE, [work(SESSION) for _ in range(2)], [whole])) == []
    assert started(planned(SITE, [work(SESSION) for _ in range(3)], [whole])) == ["t4-2"]


def test_what_is_on_its_way_out_is_as_good_as_free():
    leaving = node("t4-1", SITE, work(), work())
    for slot in leaving.slots():
        if slot.claimed:
            slot.ad["State"] = "Preempting"
    assert started(planned(SITE, [work(), work()], [leaving])) == []


def test_what_a_session_takes_from_a_larger_job_sets_the_rest_free():
    half = node("t4-1", SITE, work(devices=2))
    half.running[work(SESSION)] = (0,)
    half._slots = None
    assert started(planned(SITE, [work()], [half])) == []
    assert started(planned(SITE, [work(), work()], [half])) == ["t4-2"]


def test_a_broken_device_is_no_room():
    broken = node("t4-1", SITE, work())
    for slot in broken.slots():
        slot.ad["MlinfnBrokenDevices"] = "GPU-t4-1-1"
    assert started(planned(SITE, [work()], [broken])) == ["t4-2"]


# --- limits ---


def test_what_is_left_over_is_blocked_with_the_cap_in_words():
    decided = planned(settings(t4=T4 | {"most": 1}), [work() for _ in range(5)])
    assert started(decided) == ["t4-1"]
    (fate,) = decided.blocked
    assert (fate.blocked, fate.reason) == (3, "t4: the site has at most 1 of it")


@pytest.mark.parametrize(
    ("limits", "count", "words"),
    [
        ({"glideins": 2}, 2, "t4: the site has at most 2 nodes"),
        ({"cpus": 40}, 2, "t4: the quota is 40 cores"),
        ({"memory_mb": 64_000}, 1, "t4: the quota is 64000 MB of memory"),
        ({"devices": {"T4": 5}}, 2, "t4: the site has at most 5 T4"),
        ({"owners": {"beta": 1}}, 1, "t4: beta has at most 1 node"),
        ({"starts": 3}, 3, "t4: as many nodes as may start at once are starting"),
        ({"projects": {"alpha": 4}}, 2, "alpha has as many devices as it may ask nodes for"),
    ],
)
def test_each_limit_limits_and_says_so(limits, count, words):
    decided = planned(settings(limits, t4=T4 | {"owner_project": "beta"}), [work() for _ in range(9)])
    assert len(started(decided)) == count
    assert decided.blocked[0].reason == words


def test_a_projects_limit_counts_what_its_jobs_have_and_are_about_to_have():
    given = settings({"projects": {"alpha": 4}}, t4=T4)
    sorts = [work(cpus=cpus) for cpus in (1, 1, 1, 2, 2, 2)]
    decided = planned(given, sorts)
    assert (len(started(decided)), sum(fate.blocked for fate in decided.fates)) == (2, 2)
    half = node("t4-1", given, work())
    assert len(started(planned(given, [work() for _ in range(9)], [half]))) == 1
    assert len(started(planned(given, [work(project="beta") for _ in range(6)], [half]))) == 3


@pytest.mark.parametrize(
    ("limits", "more"),
    [
        ({"glideins": 3}, 1),
        ({"cpus": 48}, 1),
        ({"memory_mb": 192_000}, 1),
        ({"devices": {"T4": 6}}, 1),
        ({"owners": {"beta": 3}}, 1),
        ({}, 2),
    ],
)
def test_what_exists_counts_against_each_limit_even_when_it_has_failed(limits, more):
    there = [glidein("t4-1", Phase.ASKED), glidein("t4-2", Phase.ENDED)]
    given = settings(limits, t4=T4 | {"owner_project": "beta"})
    assert len(started(planned(given, [work() for _ in range(9)], glideins=there))) == more


def test_a_kind_at_its_cap_does_not_block_another():
    kinds = settings(t4=T4 | {"most": 1}, spare=T4 | {"pledged": False})
    assert started(planned(kinds, [work(devices=2), work(devices=2)])) == ["t4-1", "spare-1"]


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"model": "H100"}, "no kind of node has 1 H100"),
        ({"devices": 3}, "asks 3 T4, but nodes have at most 2 together"),
        ({"cpus": 9}, "asks more cores (9) than belong to 1 device{any}7"),
        (
            {"memory_mb": 99_968},
            "asks more memory (99968 MB) than belong to 1 device{any}24576 MB",
        ),
        (
            {"devices": 0, "cpus": 40},
            "asks more cores (40) than a slot without devices has{any}16",
        ),
    ],
)
def test_what_no_kind_could_serve_asks_for_nothing_and_says_why(asked, words):
    decided = planned(SITE, [work(**asked)])
    assert decided.actions == ()
    assert decided.blocked[0].reason == words.replace("{any}", " on any kind of node: at most ")


def test_it_tells_for_which_models_a_node_can_still_be_added():
    kinds = {"t4": T4 | {"most": 1}, "a100": A100, "cpu": CPU | {"most": 0}}
    assert planned(settings(**kinds)).growing == ("A100", "T4")
    assert planned(settings(**kinds), [work()]).growing == ("A100",)
    assert planned(settings({"starts": 1}, cpu=CPU), [work(devices=0)]).growing == ("bare",)


# --- failures ---


def failed(name="t4-1", at=NOW - 5, trouble=Trouble.IMAGE):
    return Failure(name, name.rpartition("-")[0], at - 10, at, trouble)


def test_a_kind_that_failed_is_left_alone_for_its_time_and_another_serves():
    kinds = settings(t4=T4, other=T4 | {"pledged": False})
    assert started(planned(kinds, [work()], failures=(failed(),))) == ["other-1"]
    (fate,) = planned(SITE, [work()], failures=(failed(),)).blocked
    assert fate.reason == "t4: it failed because its image cannot be had; next try in 55 s"
    assert "T4" not in planned(SITE, failures=(failed(),)).growing


def test_then_one_at_a_time_tries_until_one_joins():
    jobs = [work(devices=2) for _ in range(3)]
    old = failed(at=NOW - 500)
    assert started(planned(SITE, jobs, failures=(old,))) == ["t4-1"]
    assert started(planned(SITE, jobs, glideins=[glidein("t4-1", Phase.ASKED)], failures=(old,))) == []
    joined = node("t4-1", SITE, work(devices=2))
    there = [glidein("t4-1", since=NOW - 400)]
    assert started(planned(SITE, jobs, [joined], there, failures=(old,))) == ["t4-2", "t4-3", "t4-4"]


def test_a_failed_glidein_is_cleared_away_and_remembered_once():
    broken = glidein("t4-1", Phase.FAILED, trouble=Trouble.IMAGE, detail="manifest unknown")
    decided = planned(SITE, [work()], glideins=[broken])
    assert [one.reason for one in decided.actions] == ["its image cannot be had: manifest unknown"]
    assert [(one.kind, one.trouble, one.at) for one in decided.failures] == [("t4", Trouble.IMAGE, NOW)]
    again = planned(SITE, [work()], glideins=[broken], failures=decided.failures)
    assert again.failures == ()
    assert removed(again) == ["t4-1"]


def test_one_that_runs_and_never_joins_is_lost_and_one_that_never_begins_gives_way_to_another_kind():
    silent = glidein("t4-1", running_since=NOW - 500)
    pending = glidein("a100-1", Phase.ASKED, since=NOW - 2000)
    fresh = glidein("cpu-1", running_since=NOW - 20)
    decided = planned(SITE, glideins=[silent, pending, fresh])
    assert removed(decided) == ["a100-1", "t4-1"]
    assert [one.trouble for one in decided.failures] == [Trouble.QUOTA, Trouble.POOL]


def test_why_it_never_began_is_told_in_the_back_ends_words():
    pending = glidein("t4-1", Phase.ASKED, since=NOW - 2000, detail="0/5 nodes have 2 T4")
    assert planned(SITE, glideins=[pending]).actions[0].reason == "there is no room for it: 0/5 nodes have 2 T4"


def test_one_whose_slots_are_gone_stays_while_a_job_says_that_it_runs_there():
    silent = glidein("t4-1", running_since=NOW - 500)
    assert removed(planned(SITE, glideins=[silent], working=frozenset({"t4-1"}))) == []


def test_slots_of_a_dead_glidein_are_no_room():
    kinds = settings(t4=T4, other=T4 | {"pledged": False})
    ghost, silent = node("t4-1", kinds), node("t4-1", kinds)
    for slot in silent.slots():
        slot.ad.pop("MlinfnGlideinUid", None)
    dead = [glidein("t4-1", Phase.FAILED)]
    assert started(planned(kinds, [work()], [ghost], [])) == ["t4-2"]
    assert started(planned(kinds, [work()], [silent], dead)) == ["other-1"]


def test_slots_of_a_glideins_life_before_say_nothing_of_its_next_one():
    full = node("t4-1", SITE, work(), work())
    assert started(planned(SITE, [work()], [full], [glidein("t4-1", Phase.ASKED, uid="another life")])) == []
    assert started(planned(SITE, [work()], [full], [glidein("t4-1", Phase.RUNNING)])) == ["t4-2"]


# --- distrust ---


def test_a_collector_that_misses_a_node_is_not_believed_for_one_report_interval():
    jobs, there = [work(SESSION)], [glidein("t4-1")]
    decided = planned(SITE, jobs, glideins=there, collector_since=NOW - 20)
    assert decided.actions == ()
    assert decided.distrust == (
        "the collector started 20 s ago and has not heard of t4-1 yet: waiting for at most 40 s"
    )
    assert not planned(SITE, jobs, glideins=there, collector_since=NOW - 61).distrust


def test_it_is_believed_at_once_when_all_that_must_be_there_are():
    decided = planned(SITE, [work(), work(), work()], [node("t4-1", SITE)], collector_since=NOW - 20)
    assert started(decided) == ["t4-2"]
    for field in ("known", "working"):
        missing = planned(SITE, [work()], collector_since=NOW - 20, **{field: frozenset({"server1"})})
        assert missing.distrust


def test_what_the_back_end_calls_ended_is_cleared_away_all_the_same():
    there = [glidein("t4-1"), glidein("t4-2", Phase.ENDED)]
    assert removed(planned(SITE, glideins=there, collector_since=NOW - 20)) == ["t4-2"]


# --- leaving ---


def test_a_node_that_drains_is_kept_on_before_another_is_asked_for():
    decided = planned(SITE, [work(), work()], [node("t4-1", SITE)], retiring=frozenset({"t4-1"}))
    assert (kept_on(decided), started(decided)) == (["t4-1"], [])
    idle = planned(SITE, [], [node("t4-1", SITE)], retiring=frozenset({"t4-1"}))
    assert kept_on(idle) == []


def test_opportunistic_nodes_are_filled_last_and_go_first():
    kinds = settings(t4=T4, guest=T4 | {"pledged": False})
    nodes = [node("guest-1", kinds), node("t4-1", kinds)]
    idle = dict.fromkeys(("guest-1", "t4-1"), NOW - 100)
    assert retired(planned(kinds, [work()], nodes, idle_since=idle)) == ["guest-1"]
    assert retired(planned(kinds, [work() for _ in range(3)], nodes, idle_since=idle)) == []
    assert retired(planned(kinds, [], nodes, idle_since=dict.fromkeys(idle, NOW - 10))) == []


def test_what_is_begun_is_filled_first_and_pledged_nodes_before_opportunistic_ones():
    kinds = settings(a=T4 | {"pledged": False}, b=T4, c=T4 | {"pledged": False})
    idle = dict.fromkeys(("a-1", "a-2", "c-1"), NOW - 100)
    begun = [node("a-1", kinds), node("a-2", kinds, work()), node("c-1", kinds)]
    assert retired(planned(kinds, [work()], begun, idle_since=idle)) == ["a-1", "c-1"]
    pledged = [node("a-1", kinds), node("b-1", kinds), node("c-1", kinds)]
    assert retired(planned(kinds, [work()], pledged, idle_since=idle)) == ["a-1", "c-1"]


def test_what_has_not_begun_and_nobody_needs_is_withdrawn_after_a_while():
    old, new = glidein("t4-1", Phase.ASKED, since=NOW - 100), glidein("t4-2", Phase.ASKED, since=NOW - 10)
    assert removed(planned(SITE, glideins=[old, new])) == ["t4-1"]
    assert removed(planned(SITE, [work() for _ in range(4)], glideins=[old, new])) == []


def test_a_kind_that_the_settings_have_no_longer_goes_when_it_is_idle():
    former = settings(old=T4, t4=T4)
    busy, idle = node("old-1", former, work()), node("old-2", former)
    there = [glidein("old-1"), glidein("old-2"), glidein("old-3", Phase.ASKED)]
    decided = planned(SITE, [], [busy, idle], there)
    assert (retired(decided), removed(decided)) == (["old-2"], ["old-3"])


def test_the_least_is_kept_warm_and_what_is_beyond_it_is_not():
    kinds = settings(t4=T4 | {"least": 2})
    decided = planned(kinds)
    assert decided.actions[0] == Start("t4", "t4-1", "the site keeps 2 of t4 warm", warm=True)
    assert started(decided) == ["t4-1", "t4-2"]
    there = [glidein(f"t4-{number}", warm=True) for number in (1, 2, 3)]
    nodes = [node(one.name, kinds) for one in there]
    assert retired(planned(kinds, [], nodes, there)) == ["t4-3"]
    assert started(planned(kinds, [work()], nodes, there)) == []


def test_a_warm_one_that_drains_is_kept_only_if_the_others_are_too_few():
    for least, kept in ((1, []), (2, ["t4-1"])):
        kinds = settings(t4=T4 | {"least": least})
        there = [glidein(name, warm=True) for name in ("t4-1", "t4-2")]
        nodes = [node(one.name, kinds) for one in there]
        decided = planned(kinds, [], nodes, there, retiring=frozenset({"t4-1"}))
        assert (kept_on(decided), retired(decided), started(decided)) == (kept, [], [])


def test_what_is_started_warm_serves_demand_too():
    assert started(planned(settings(t4=T4 | {"least": 1}), [work(), work()])) == ["t4-1"]


def test_a_kind_whose_nodes_turn_out_smaller_is_not_asked_for_again_and_again():
    small = settings(t4=T4 | {"cpus": 6})
    there = node("t4-1", small, work(), work())
    decided = planned(SITE, [work(cpus=6)], [there])
    assert started(decided) == []
    assert "asks more cores (6)" in decided.blocked[0].reason
