"""Pods known from a watch: what is late, silent or broken only means that the next question lists."""

import queue
import threading
from dataclasses import replace

import pytest

from mlinfn_condor.kube import Change, ChangeKind, KubeUnavailable, Listing, Pod, PodPhase, VersionGone
from mlinfn_condor.kube.patience import Patience
from mlinfn_condor.provisioning.backends.kubernetes.following import Following

QUICK = Patience(first_pause=0.01, longest_pause=0.02, silence=15, connect=60)
SECONDS = 60
END = object()


def pod(name, version="1"):
    return Pod(name, f"uid-{name}", version, {}, PodPhase.PENDING, 0.0)


def added(name, version):
    return Change(ChangeKind.ADDED, version, pod(name, version))


class Wire:
    """A watch that tells what the test puts in, and stays open although it was closed: as a wire may."""

    def __init__(self, version):
        self.version, self.told = version, queue.Queue()
        self.closed = threading.Event()

    def __iter__(self):
        while (change := self.told.get(timeout=SECONDS)) is not END:
            if isinstance(change, Exception):
                raise change
            yield change

    def close(self):
        self.closed.set()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class Scripted:
    """A gate whose lists are what the test says."""

    def __init__(self):
        self.there, self.version, self.lists = [], 1, 0
        self.wires = queue.Queue()
        self.refuses = None

    def pods(self, _selector):
        if self.refuses:
            raise self.refuses
        self.lists += 1
        return Listing(tuple(self.there), str(self.version))

    def watch_pods(self, _selector, version, _seconds):
        wire = Wire(version)
        self.wires.put(wire)
        return wire

    def next_wire(self):
        return self.wires.get(timeout=SECONDS)


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


@pytest.fixture
def kube():
    return Scripted()


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def following(kube, clock):
    following = Following(kube, "a=b", seconds=45, patience=QUICK, clock=clock)
    yield following
    wires = list(kube.wires.queue)
    for wire in [*wires, *getattr(kube, "open", [])]:
        wire.told.put(END)
    following.close()


def known(following):
    return {each.name for each in following.pods()}


def test_the_first_question_lists_and_the_next_do_not(kube, following):
    kube.there = [pod("one")]
    assert known(following) == {"one"}
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    for _ in range(10):
        assert known(following) == {"one"}
    assert (kube.lists, wire.version) == (1, "1")
    wire.told.put(END)


def test_a_silent_watch_is_not_believed_longer_than_its_time(kube, following, clock):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    clock.now = 45 + 15
    known(following)
    assert kube.lists == 1
    clock.now += 0.1
    kube.there = [pod("new")]
    assert known(following) == {"new"}
    assert wire.closed.is_set()
    wire.told.put(END)


def test_news_that_are_older_than_the_last_list_are_dropped(kube, following, clock):
    known(following)
    late = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    clock.now = 100
    kube.version = 50
    assert known(following) == set()  # listed: what was there has gone
    late.told.put(added("ghost", "20"))
    fresh = kube.next_wire()
    assert fresh.version == "50"
    assert following.wait_until_watched(SECONDS)
    fresh.told.put(added("real", "51"))
    assert following.wait_for(lambda pods: any(each.name == "real" for each in pods), SECONDS)
    assert known(following) == {"real"}
    fresh.told.put(END)


def test_what_was_to_be_forgotten_is_not_remembered_by_late_news(kube, following):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    following.forget()
    wire.told.put(added("ghost", "20"))
    assert not following.wait_for(lambda _: following._version != "", 0.2)
    assert known(following) == set()
    assert kube.lists == 2
    kube.next_wire().told.put(END)


def test_a_watch_goes_on_where_the_last_one_ended(kube, following, clock):
    known(following)
    wire = kube.next_wire()
    wire.told.put(added("one", "7"))
    wire.told.put(Change(ChangeKind.BOOKMARK, "9"))
    assert following.wait_for(lambda pods: len(pods) == 1, SECONDS)
    clock.now = 45
    wire.told.put(END)
    again = kube.next_wire()
    assert again.version == "9"
    assert kube.lists == 1
    again.told.put(END)


def test_a_broken_watch_goes_on_from_its_last_version_without_a_list(kube, following):
    known(following)
    wire = kube.next_wire()
    wire.told.put(added("one", "7"))
    wire.told.put(KubeUnavailable("cut"))
    again = kube.next_wire()
    assert again.version == "7"
    assert following.wait_until_watched(SECONDS)
    assert known(following) == {"one"}
    assert kube.lists == 1
    again.told.put(END)


def test_a_version_that_is_gone_waits_for_the_next_question(kube, following):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    wire.told.put(VersionGone("410"))
    assert following.wait_for(lambda _: not following._fresh, SECONDS)
    kube.version, kube.there = 50, [pod("one")]
    assert known(following) == {"one"}
    again = kube.next_wire()
    assert again.version == "50"
    again.told.put(END)


def test_when_it_cannot_be_asked_it_is_not_known(kube, following):
    kube.refuses = KubeUnavailable("away")
    with pytest.raises(KubeUnavailable):
        following.pods()
    kube.refuses = None
    assert known(following) == set()
    kube.next_wire().told.put(END)


def test_what_we_wrote_is_known_at_once_and_its_end_is_believed(kube, following):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    with following.writing() as keep:
        keep(pod("mine", "5"))
    assert known(following) == {"mine"}
    wire.told.put(Change(ChangeKind.DELETED, "6", pod("mine", "6")))
    assert following.wait_for(lambda pods: not pods, SECONDS)
    wire.told.put(END)


def test_the_end_of_an_earlier_pod_does_not_take_a_later_one_of_its_name(kube, following):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    earlier = Pod("one", "uid-earlier", "5", {}, PodPhase.PENDING, 0.0)
    with following.writing() as keep:
        keep(pod("one", "7"))
    wire.told.put(Change(ChangeKind.DELETED, "6", earlier))
    wire.told.put(added("two", "8"))
    assert following.wait_for(lambda pods: len(pods) == 2, SECONDS)
    wire.told.put(END)


def test_news_that_are_older_than_what_we_wrote_do_not_undo_it(kube, following):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    with following.writing() as keep:
        keep(replace(pod("mine", "10"), leaving=60.0))
    wire.told.put(Change(ChangeKind.MODIFIED, "9", pod("mine", "9")))
    wire.told.put(added("two", "11"))
    assert following.wait_for(lambda pods: len(pods) == 2, SECONDS)
    assert {each.name: each.leaving for each in following.pods()} == {"mine": 60.0, "two": None}
    wire.told.put(END)


@pytest.mark.parametrize("version", ["11", "100", "an-own-kind-of-version"])
def test_news_that_are_newer_or_cannot_be_compared_count(kube, following, version):
    known(following)
    wire = kube.next_wire()
    assert following.wait_until_watched(SECONDS)
    with following.writing() as keep:
        keep(replace(pod("mine", "10"), leaving=60.0))
    wire.told.put(Change(ChangeKind.MODIFIED, version, pod("mine", version)))
    assert following.wait_for(lambda pods: [each.version for each in pods] == [version], SECONDS)
    wire.told.put(END)


def test_watches_that_end_at_once_are_not_begun_without_a_pause(kube, clock):
    slow = Patience(first_pause=60, longest_pause=60, connect=60)
    following = Following(kube, "a=b", patience=slow, clock=clock)
    following.pods()
    kube.next_wire().told.put(END)
    assert not following.wait_for(lambda _: not kube.wires.empty(), 0.2)
    following.close()
    assert not following._thread.is_alive()


def test_without_a_watch_every_question_lists(kube):
    following = Following(kube, "a=b", watch=False)
    following.pods()
    following.pods()
    assert kube.lists == 2
    assert kube.wires.empty()
