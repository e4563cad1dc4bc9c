"""Which of several provisioners acts: decided by the lease, and by nobody's wall clock."""

import random
from contextlib import suppress

import pytest

from mlinfn_condor.kube import KubeUnavailable, Lease
from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.provisioning.backends.kubernetes.leading import (
    LEASE,
    LeaseLeader,
    Sight,
    Step,
    Terms,
    next_step,
    seen,
)

TERMS = Terms(seconds=75, deadline=40, renew=10)
THEIRS = Lease(LEASE, "other", 75, version="7")


class Clock:
    def __init__(self, now: float = 1000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def cluster():
    return TwinCluster()


def provisioner(cluster, me, clock):
    return LeaseLeader(twin_kube(cluster), me=me, terms=TERMS, clock=clock)


@pytest.mark.parametrize(
    ("sight", "now", "step"),
    [
        (Sight(None, 0), 0, Step.TAKE),
        (Sight(Lease(LEASE, "", 1), 0), 0, Step.TAKE),
        (Sight(Lease(LEASE, "me", 75), 0), 0, Step.TAKE),
        (Sight(THEIRS, 0), 75, Step.WAIT),
        (Sight(THEIRS, 0), 75.1, Step.TAKE),
        (Sight(Lease(LEASE, "other", 300), 0), 299, Step.WAIT),
        (Sight(Lease(LEASE, "other", 1), 0), 74, Step.WAIT),
        (Sight(THEIRS, 0, renewed=0), 9, Step.REST),
        (Sight(THEIRS, 0, renewed=0), 10, Step.RENEW),
    ],
)
def test_the_next_step_follows_from_what_was_seen_and_for_how_long(sight, now, step):
    assert next_step(sight, "me", now, TERMS) is step


def test_a_lease_ages_from_its_last_change_and_not_from_the_last_look():
    first = seen(None, THEIRS, 10)
    assert seen(first, THEIRS, 50).since == 10
    assert seen(first, Lease(LEASE, "other", 75, version="8"), 50).since == 50


def test_one_leads_and_the_other_waits(cluster):
    clock = Clock()
    one, two = provisioner(cluster, "one", clock), provisioner(cluster, "two", clock)
    assert one.leads()
    assert not two.leads()
    assert (one.may_act, two.may_act, two.holder) == (True, False, "one")


def test_who_leads_asks_for_nothing_between_renewals(cluster):
    clock = Clock()
    one = provisioner(cluster, "one", clock)
    one.leads()
    cluster.calls.clear()
    for _ in range(9):
        clock.now += 1
        assert one.leads()
    assert cluster.calls == []


def test_the_other_takes_over_when_the_first_gives_no_sign(cluster):
    clock, theirs = Clock(), Clock(-5_000_000)  # the two machines' clocks have nothing to do with each other
    one, two = provisioner(cluster, "one", clock), provisioner(cluster, "two", theirs)
    one.leads()
    two.leads()
    for _ in range(20):
        clock.now += 10
        theirs.now += 10
        assert one.leads()
        assert not two.leads()
    clock.now += 74  # one stands still
    theirs.now += 74
    assert not two.leads()
    clock.now += 2
    theirs.now += 2
    assert two.leads()
    assert not one.may_act
    assert not one.leads()
    assert twin_kube(cluster).lease(LEASE) == Lease(LEASE, "two", 75, 1, two._sight.lease.version)


def test_who_could_not_renew_stops_in_time(cluster):
    clock = Clock()
    one = provisioner(cluster, "one", clock)
    one.leads()
    cluster.down = True
    clock.now += TERMS.deadline - 1
    assert one.leads()
    clock.now += 2
    assert not one.may_act
    with pytest.raises(KubeUnavailable):
        one.leads()
    cluster.down = False
    assert one.leads()  # nobody took it meanwhile


def test_a_lease_that_was_given_back_is_taken_at_once(cluster):
    clock = Clock()
    one, two = provisioner(cluster, "one", clock), provisioner(cluster, "two", clock)
    one.leads()
    two.leads()
    one.resign()
    assert not one.may_act
    assert two.leads()


def test_a_name_that_only_one_can_bear_leads_again_at_once_after_a_kill(cluster):
    clock = Clock()
    provisioner(cluster, "host-1", clock).leads()
    assert provisioner(cluster, "host-1", clock).leads()


def test_without_a_name_nobody_is_who_he_was(cluster):
    clock = Clock()
    assert LeaseLeader(twin_kube(cluster), terms=TERMS, clock=clock).leads()
    assert not LeaseLeader(twin_kube(cluster), terms=TERMS, clock=clock).leads()


def test_an_answer_that_was_lost_is_no_reason_to_act_longer_than_the_lease(cluster):
    clock = Clock()
    kube = twin_kube(cluster)
    one = LeaseLeader(kube, me="one", terms=TERMS, clock=clock)
    put = kube.put_lease

    def lossy(lease):
        put(lease)
        clock.now += 30
        raise KubeUnavailable("no answer")

    kube.put_lease = lossy
    with pytest.raises(KubeUnavailable):
        one.leads()
    written = clock.now - 30
    kube.put_lease = put
    assert one.leads()
    # It leads from a renewal of its own, not from the one whose answer was lost.
    assert one._sight.renewed > written
    assert one._sight.lease == kube.lease(LEASE)


@pytest.mark.parametrize("seed", range(20))
def test_never_do_two_act_at_once_whatever_fails(seed):
    """Three provisioners with clocks of their own; calls fail, answers are lost, processes stand still for a while."""
    dice, cluster, now = random.Random(seed), TwinCluster(), 0.0
    call_seconds = 30.0  # the longest that a call of the gate takes
    offsets = [dice.uniform(-1e6, 1e6) for _ in range(3)]
    clocks = [Clock(offset) for offset in offsets]
    crowd = [provisioner(cluster, f"p{number}", clock) for number, clock in enumerate(clocks)]
    for one in crowd:
        put, get = one._kube.put_lease, one._kube.lease

        def shaky_put(lease, put=put):
            nonlocal now
            fate = dice.random()
            now += dice.uniform(0, 5)
            if fate < 0.2:
                raise KubeUnavailable("it did not arrive")
            made = put(lease)
            if fate < 0.4:
                raise KubeUnavailable("its answer was lost")
            return made

        def shaky_get(name, get=get):
            if dice.random() < 0.2:
                raise KubeUnavailable("no answer")
            return get(name)

        one._kube.put_lease, one._kube.lease = shaky_put, shaky_get
    led, acts = set(), []
    for _ in range(600):
        number = dice.randrange(3)
        now += dice.choice([0.1, 3.0, 20.0, 60.0, 100.0]) if dice.random() < 0.5 else 1.0
        for clock, offset in zip(clocks, offsets, strict=True):
            clock.now = offset + now
        began = now
        leads = False
        with suppress(KubeUnavailable):
            leads = crowd[number].leads()
        clocks[number].now = offsets[number] + now
        if leads and crowd[number].may_act:
            led.add(number)
            # Its last write may arrive as late as its deadline and one call allow.
            until = crowd[number]._sight.renewed - offsets[number] + TERMS.deadline + call_seconds
            acts.append((began, until, number))
            others = [(end, who) for start, end, who in acts if who != number]
            assert all(end <= now for end, _ in others), (now, others[-1])
    assert len(led) > 1
