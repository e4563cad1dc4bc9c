"""What holds for every plan, tried over made-up sites."""

from collections import Counter
from dataclasses import replace

from hypothesis import HealthCheck, given, seed, settings
from hypothesis import strategies as st

from mlinfn_condor.bench.made_up import MadeUpNode, Work, portions
from mlinfn_condor.bench.site import Site
from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.provisioning.actions import KeepOn, Remove, Retire, Start
from mlinfn_condor.provisioning.nodes import Phase
from mlinfn_condor.provisioning.plan import plan
from mlinfn_condor.provisioning.settings import Settings

PORTIONS = portions()
NOW = 1_000_000.0
bounded = settings(max_examples=30, deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])

KINDS = st.fixed_dictionaries(
    {
        "t4": st.fixed_dictionaries(
            {
                "cpus": st.sampled_from([8, 32]),
                "memory_mb": st.just(64000),
                "device_kind": st.just("gpu"),
                "model": st.just("T4"),
                "devices": st.integers(1, 4),
                "pledged": st.booleans(),
                "owner_project": st.sampled_from(["", "alpha"]),
                "most": st.integers(2, 5),
                "least": st.integers(0, 2),
            }
        ),
        "a100": st.fixed_dictionaries(
            {
                "cpus": st.just(32),
                "memory_mb": st.just(128000),
                "device_kind": st.just("gpu"),
                "model": st.just("A100"),
                "devices": st.integers(1, 2),
                "pledged": st.booleans(),
                "most": st.integers(0, 4),
            }
        ),
        "cpu": st.fixed_dictionaries({"cpus": st.just(16), "memory_mb": st.just(32000), "most": st.integers(0, 4)}),
    }
)
LIMITS = st.fixed_dictionaries(
    {"starts": st.integers(1, 8)},
    optional={
        "glideins": st.integers(2, 9),
        "cpus": st.integers(8, 200),
        "devices": st.fixed_dictionaries({"T4": st.integers(0, 9)}),
        "owners": st.fixed_dictionaries({"": st.integers(0, 6)}),
        "projects": st.fixed_dictionaries({"alpha": st.integers(0, 6)}),
    },
)
SITES = st.builds(lambda kinds, limits: Settings(kinds=kinds, limits=limits), KINDS, LIMITS)
WORKS = st.lists(
    st.builds(
        Work,
        number=st.just(0),
        priority_class=st.sampled_from(PriorityClass),
        project=st.sampled_from(["alpha", "beta"]),
        cpus=st.integers(1, 6),
        memory_mb=st.sampled_from([1000, 4096, 20000]),
        devices=st.integers(0, 3),
        model=st.sampled_from(["", "T4", "A100", "H100"]),
    ),
    max_size=14,
)


def numbered(works, first=1):
    """Works without devices wish for no model."""
    return [
        replace(work, number=number, model=work.model if work.devices else "")
        for number, work in enumerate(works, first)
    ]


def site_of(given_settings, works, latency=60.0):
    site = Site(given_settings, PORTIONS, lambda name, now: latency)
    for work in numbered(works):
        site.submit(work, NOW)
    return site


def lived_in(given_settings, works, more):
    """A site on which some plans were carried out, some work runs, and more has come."""
    site = site_of(given_settings, works)
    for turn in range(3):
        site.carry_out(plan(site.snapshot(NOW + turn), given_settings, PORTIONS), NOW + turn)
        site.join(NOW + 60 * turn)
        site.match(NOW + turn)
    for work in numbered(more, 100):
        site.submit(work, NOW + 120)
    return site


def existing(site, actions):
    """Glideins by kind when the plan is carried out, those included that it clears away: they are there until then."""
    kinds = Counter(one.kind for one in site.glideins.values())
    kinds.update(action.kind for action in actions if isinstance(action, Start))
    return kinds


@seed(5)
@bounded
@given(SITES, WORKS, WORKS)
def test_no_cap_of_the_site_is_ever_exceeded(given_settings, works, more):
    site = lived_in(given_settings, works, more)
    actions = plan(site.snapshot(NOW + 120), given_settings, PORTIONS).actions
    there, limits = existing(site, actions), given_settings.limits
    kinds = {kind.name: kind for kind in given_settings.node_kinds}
    starting = sum(one.phase is Phase.ASKED for one in site.glideins.values())
    starts = [action for action in actions if isinstance(action, Start)]
    assert all(there[name] <= kinds[name].most for name in there)
    assert limits.glideins is None or there.total() <= limits.glideins
    assert limits.cpus is None or sum(kinds[name].cpus * count for name, count in there.items()) <= limits.cpus
    t4s = sum(kinds[name].devices * count for name, count in there.items() if kinds[name].model == "T4")
    assert t4s <= limits.devices.get("T4", t4s)
    unowned = sum(count for name, count in there.items() if not kinds[name].owner_project)
    assert unowned <= limits.owners.get("", unowned)
    assert not starts or starting + len(starts) <= limits.starts


@seed(5)
@bounded
@given(SITES, WORKS, WORKS)
def test_each_new_node_is_for_work_that_nothing_there_or_coming_could_take(given_settings, works, more):
    """Put the work on all that is there and comes, less one new node: somebody is left over, whichever is left out."""
    site = lived_in(given_settings, works, more)
    decided = plan(site.snapshot(NOW + 120), given_settings, PORTIONS)
    asked = [action for action in decided.actions if isinstance(action, Start) and not action.warm]
    placed = sum(fate.need.count - fate.blocked for fate in decided.fates)
    if not asked:
        return
    last = asked[-1]
    fewer = replace_caps(given_settings, site, decided, without=last)
    again = plan(site.snapshot(NOW + 120), fewer, PORTIONS)
    assert sum(fate.need.count - fate.blocked for fate in again.fates) < placed


def replace_caps(given_settings, site, decided, without):
    """The same site, where each kind may have what the plan gave it, and the kind of `without` one less."""
    there = existing(site, decided.actions)
    there[without.kind] -= 1
    kinds = {
        name: kind.model_copy(update={"most": there[name], "least": min(kind.least, there[name])})
        for name, kind in given_settings.kinds.items()
    }
    return given_settings.model_copy(update={"kinds": kinds})


@seed(5)
@bounded
@given(SITES, WORKS)
def test_what_one_need_finds_room_for_asks_for_nothing(given_settings, works):
    """Whatever its shape: a job that could start now, or on what is coming, is no reason for a node."""
    site = lived_in(given_settings.model_copy(update={"kinds": without_warm(given_settings)}), works, [])
    site.idle.clear()
    for work in numbered(works, 200):
        alone = MadeUpNodes(site).copy()
        could = any(node.start(work) is not None for node in alone)
        site.idle = [replace(work, since=NOW)]
        decided = plan(site.snapshot(NOW + 120), given_settings, PORTIONS)
        if could:
            assert not [one for one in decided.actions if isinstance(one, Start) and not one.warm]


def without_warm(given_settings):
    return {name: kind.model_copy(update={"least": 0}) for name, kind in given_settings.kinds.items()}


class MadeUpNodes:
    """The nodes that are there, and those that will be, as if they were."""

    def __init__(self, site):
        kinds = {kind.name: kind for kind in site._settings.node_kinds}
        coming = [MadeUpNode(name, kinds[site.glideins[name].kind], PORTIONS) for name in site.joins]
        self._nodes = [*site.nodes.values(), *coming]

    def copy(self):
        return [MadeUpNode(node.name, node.kind, node.shared, dict(node.running)) for node in self._nodes]


@seed(5)
@bounded
@given(SITES, WORKS, WORKS, st.sets(st.integers(0, 9)))
def test_nobody_who_is_at_work_is_chosen_to_leave(given_settings, works, more, drained):
    site = lived_in(given_settings, works, more)
    names = sorted(site.nodes)
    snapshot = replace(
        site.snapshot(NOW + 9999),
        retiring=frozenset(names[place] for place in drained if place < len(names)),
        idle_since=dict.fromkeys(site.idle_since, NOW),
    )
    decided = plan(snapshot, given_settings, PORTIONS)
    told = {one.name for one in decided.actions if isinstance(one, Retire | Remove)}
    counted_on = {name for fate in decided.fates for name, _ in (*fate.coming, *fate.kept)}
    kept = {one.name for one in decided.actions if isinstance(one, KeepOn)}
    assert not told & {name for name, node in site.nodes.items() if node.running}
    assert not told & (counted_on | kept)
    assert kept <= snapshot.retiring


@seed(5)
@settings(bounded, max_examples=15)
@given(SITES, WORKS)
def test_it_settles_while_demand_stays_as_it_is(given_settings, works):
    """Endless work: whoever starts leaves another like him in the queue. Then the plans become empty, and stay so."""
    site = site_of(given_settings, works)
    now, quiet = NOW, 0
    for turn in range(60):
        now = NOW + 30 * turn
        site.join(now)
        for work, _ in site.match(now):
            site.submit(replace(work, number=1000 * (turn + 1) + work.number), now)
        decided = plan(site.snapshot(now), given_settings, PORTIONS)
        site.carry_out(decided, now)
        site.leave_when_idle(now)
        quiet = 0 if decided.actions else quiet + 1
        if quiet == 15:  # longer than anything of the site takes
            return
    raise AssertionError(f"turn {turn} still does {decided.actions}")


@seed(5)
@bounded
@given(SITES, WORKS, WORKS)
def test_two_planners_that_see_the_same_in_another_order_plan_the_same(given_settings, works, more):
    site = lived_in(given_settings, works, more)
    first = site.snapshot(NOW + 120)
    backwards = replace(first, needs=first.needs[::-1], slots=first.slots[::-1], glideins=first.glideins[::-1])
    assert plan(first, given_settings, PORTIONS).actions == plan(backwards, given_settings, PORTIONS).actions


@seed(5)
@bounded
@given(SITES, WORKS, WORKS)
def test_nothing_is_concluded_from_a_collector_that_misses_a_node(given_settings, works, more):
    site = lived_in(given_settings, works, more)
    running = [name for name, one in site.glideins.items() if one.phase is Phase.RUNNING]
    snapshot = replace(site.snapshot(NOW + 120), collector_since=NOW + 100, slots=())
    decided = plan(snapshot, given_settings, PORTIONS)
    assert bool(decided.distrust) == bool(running)
    assert not decided.distrust or not decided.actions
