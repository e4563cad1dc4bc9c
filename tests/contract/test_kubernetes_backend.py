"""The back end `kubernetes`, over the twin and over the real client before an API server. Killed, it leaks nothing."""

import threading
from collections import Counter
from dataclasses import replace

import pytest
from kube_benches import PATIENT, QUICK, MemoryBench
from kube_standin import ApiServer, Fault

from mlinfn_condor.kube import Verb
from mlinfn_condor.kube.gate import ApiKube
from mlinfn_condor.kube.twin import TwinApi, TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.backends.kubernetes import AnotherLeads, KubernetesBackend, KubernetesSite, labels
from mlinfn_condor.provisioning.backends.kubernetes.following import Following
from mlinfn_condor.provisioning.backends.kubernetes.leading import LeaseLeader, Terms
from mlinfn_condor.provisioning.backends.kubernetes.reading import glidein as read_glidein
from mlinfn_condor.provisioning.nodes import NodeKind, Phase, Trouble

SITE = KubernetesSite(pool="ai")
A100 = NodeKind("a100", 16, 65536, DeviceKind.GPU, "A100", 2, "hep")
TEMPLATE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {},
    "spec": {"containers": [{"name": "glidein", "image": "glidein:1"}], "terminationGracePeriodSeconds": 150},
}
SECONDS = 60


@pytest.fixture(params=["twin", "api-server"])
def bench(request, tmp_path):
    cluster = TwinCluster(namespace="ai")
    bench = MemoryBench(cluster, tmp_path, ApiServer(cluster) if request.param == "api-server" else None)
    yield bench
    bench.close()


@pytest.fixture
def backends(bench):
    """Makes back ends, and closes them."""
    made = []

    def make(*, watch=True, leader=None, patience=PATIENT, **more):
        gate = bench.gate(patience=patience)
        following = Following(gate, labels.selector("ai"), watch=watch, seconds=30, patience=PATIENT)
        clock = more.pop("clock", lambda: bench.cluster.now)
        backend = KubernetesBackend(gate, SITE, TEMPLATE, following=following, leader=leader, clock=clock)
        made.append(backend)
        return backend

    yield make
    for backend in made:
        backend.close()


def names(backend):
    return sorted(glidein.name for glidein in backend.glideins())


def settled(backend):
    """The back end, once it looks at a watch."""
    backend.glideins()
    assert backend._following.wait_until_watched(SECONDS)
    return backend


def comes(backend, wanted):
    """Wait until the back end tells what is wanted, as soon as its watch does."""
    following = backend._following
    assert following.wait_for(lambda pods: wanted({pod.name: read_glidein(pod) for pod in pods}), SECONDS)
    return {each.name: each for each in backend.glideins()}


def test_a_glidein_that_was_asked_for_is_told_of_at_once(backends):
    backend = settled(backends())
    backend.start("a100-1", A100, warm=True)
    (found,) = backend.glideins()
    assert (found.name, found.kind, found.phase, found.warm) == ("a100-1", "a100", Phase.ASKED, True)


def test_who_asks_anew_finds_the_same(backends):
    one, two = backends(), backends()
    one.start("a100-1", A100)
    assert one.glideins() == two.glideins()


def test_a_name_that_exists_is_left_as_it_is(bench, backends):
    one, two = settled(backends()), backends(watch=False)
    one.start("a100-1", A100)
    uid = one.glideins()[0].uid
    two.start("a100-1", A100)
    one.start("a100-1", A100)
    assert [glidein.uid for glidein in two.glideins()] == [uid]
    assert bench.cluster.pod_names() == ["a100-1"]


def test_what_happens_is_known_without_a_question(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.cluster.calls.clear()
    bench.hands.run("a100-1")
    assert comes(backend, lambda all_: all_["a100-1"].phase is Phase.RUNNING)["a100-1"].phase is Phase.RUNNING
    bench.hands.finish("a100-1", 0)
    assert comes(backend, lambda all_: all_["a100-1"].phase is Phase.ENDED)
    assert bench.cluster.calls == []


def test_turns_in_which_nothing_happens_cost_no_call(bench, backends):
    backend = settled(backends())
    for number in range(5):
        backend.start(f"a100-{number}", A100)
    bench.cluster.calls.clear()
    for _ in range(100):
        assert len(backend.glideins()) == 5
        backend.remove([])
    assert bench.cluster.calls == []


def test_an_idle_glidein_that_ended_is_cleared_away(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.hands.run("a100-1")
    bench.hands.finish("a100-1", 0)
    backend.remove(["a100-1", "unknown-7"])
    assert bench.cluster.pod_names() == []
    assert comes(backend, lambda all_: not all_) == {}


def test_one_that_runs_is_ended_softly_and_only_once(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.hands.run("a100-1")
    backend.remove(["a100-1"])
    assert bench.cluster.pod("a100-1")["metadata"]["deletionGracePeriodSeconds"] == 150
    comes(backend, lambda all_: all_["a100-1"].detail == "it was told to end")
    bench.cluster.calls.clear()
    backend.remove(["a100-1"])
    assert bench.cluster.calls == []


def test_one_whose_machine_is_gone_is_taken_away_by_force_when_its_time_is_long_over(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.hands.run("a100-1", "gpu-7")
    bench.hands.lose_node("gpu-7")
    lost = comes(backend, lambda all_: all_["a100-1"].phase is Phase.FAILED)["a100-1"]
    assert lost.trouble is Trouble.NODE
    backend.remove(["a100-1"])
    assert bench.cluster.pod_names() == ["a100-1"]
    bench.cluster.now += 30 + 121
    backend.remove(["a100-1"])
    assert bench.cluster.pod_names() == []


def test_a_name_is_free_again_when_its_pod_is_gone(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    first = backend.glideins()[0].uid
    backend.remove(["a100-1"])
    comes(backend, lambda all_: not all_)
    backend.start("a100-1", A100)
    assert backend.glideins()[0].uid != first


def test_a_quota_that_is_full_is_a_cause_of_its_own(bench, backends):
    bench.cluster.quota = {"requests.nvidia.com/gpu": 2}
    backend = settled(backends())
    backend.start("a100-1", A100)
    with pytest.raises(NodeRefused, match="exceeded quota") as refused:
        backend.start("a100-2", A100)
    assert refused.value.trouble is Trouble.QUOTA
    assert names(backend) == ["a100-1"]


def test_a_missing_right_is_told_with_its_cure(bench, backends):
    bench.cluster.rights["provisioner"] = {("pods", "list"), ("pods", "watch")}
    with pytest.raises(BackendUnavailable, match=r"create pods .*rights\.yaml"):
        settled(backends()).start("a100-1", A100)


@pytest.mark.parametrize("name", ["A100-1", "a_1", "", "-a", "a" * 64])
def test_a_name_that_no_pod_can_have_is_refused(backends, name):
    with pytest.raises(NodeRefused, match="small letters"):
        backends().start(name, A100)


def test_pods_of_others_are_neither_told_of_nor_touched(bench, backends):
    admin = bench.gate("admin")
    theirs = {"metadata": {"name": "a100-1", "labels": {"app.kubernetes.io/managed-by": "mlinfn"}}}
    admin.create_pod(TEMPLATE | theirs)
    backend = settled(backends())
    assert backend.glideins() == []
    backend.remove(["a100-1"])
    with pytest.raises(NodeRefused, match="not of pool ai"):
        backend.start("a100-1", A100)
    assert bench.cluster.pod_names() == ["a100-1"]


def test_an_orphan_of_our_pool_is_told_of_so_that_it_can_be_removed(bench, backends):
    left = {"name": "old-1", "labels": labels.labels("ai", replace(A100, name="abolished"), warm=False)}
    bench.gate("admin").create_pod(TEMPLATE | {"metadata": left})
    backend = settled(backends())
    assert [(glidein.name, glidein.kind) for glidein in backend.glideins()] == [("old-1", "abolished")]
    backend.remove(["old-1"])
    assert bench.cluster.pod_names() == []


def test_a_watch_that_breaks_is_taken_up_again_and_misses_nothing(bench, backends):
    backend = settled(backends(patience=QUICK))
    backend.start("a100-1", A100)
    bench.break_off()
    assert backend._following.wait_for(lambda _: not backend._following._fresh, SECONDS)
    with pytest.raises(BackendUnavailable):
        backend.glideins()
    bench.bring_back()
    bench.gate("admin").create_pod(
        TEMPLATE | {"metadata": {"name": "a100-2", "labels": labels.labels("ai", A100, warm=False)}}
    )
    settled(backend)
    assert sorted(comes(backend, lambda all_: "a100-2" in all_)) == ["a100-1", "a100-2"]
    bench.hands.run("a100-2")
    comes(backend, lambda all_: all_["a100-2"].phase is Phase.RUNNING)


def test_what_a_watch_missed_because_it_was_forgotten_is_listed(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.cluster.forget()  # its watch ends with 410
    assert backend._following.wait_for(lambda _: not backend._following._fresh, SECONDS)
    bench.hands.run("a100-1")
    assert [glidein.phase for glidein in backend.glideins()] == [Phase.RUNNING]
    settled(backend)
    bench.hands.finish("a100-1", 10)
    comes(backend, lambda all_: all_["a100-1"].phase is Phase.ENDED)


def test_why_a_pod_waits_is_told_in_the_words_of_those_who_let_it_wait(bench, backends):
    backend = settled(backends())
    backend.start("a100-1", A100)
    bench.cluster.add_event("a100-1", "FailedScheduling", "0/3 nodes are available")
    bench.cluster.add_event("a100-1", "TriggeredScaleUp", "pod triggered scale-up", "Normal")
    assert backend.explain("a100-1") == [
        "FailedScheduling: 0/3 nodes are available",
        "TriggeredScaleUp: pod triggered scale-up",
    ]
    assert backend.explain("nobody") == []


# --- two provisioners ---


@pytest.fixture
def leaders(bench):
    """Makes leaders, all of one clock: its first item."""
    now = [1000.0]
    return now, lambda me: LeaseLeader(bench.gate(), me=me, terms=Terms(), clock=lambda: now[0])


def test_of_two_provisioners_one_acts_and_the_other_takes_over(bench, backends, leaders):
    now, leader = leaders
    (first, second) = leader("one"), leader("two")
    one, two = backends(leader=first), backends(leader=second)
    assert (first.leads(), second.leads()) == (True, False)
    settled(one).start("a100-1", A100)
    assert names(two) == ["a100-1"]  # whoever does not lead may look
    with pytest.raises(AnotherLeads, match="one leads"):
        two.start("a100-2", A100)
    with pytest.raises(AnotherLeads):
        two.remove(["a100-1"])
    now[0] += 76  # one stands still for longer than its lease, in the middle of its turn
    assert second.leads()
    two.start("a100-2", A100)
    with pytest.raises(AnotherLeads):
        one.start("a100-3", A100)
    assert bench.cluster.pod_names() == ["a100-1", "a100-2"]


def test_who_leads_again_lists_whatever_its_watch_says(bench, backends, leaders):
    now, leader = leaders
    mine, other = leader("one"), leader("other")
    mine.leads()
    backend = settled(backends(leader=mine))
    other.leads()
    now[0] += 76
    assert other.leads()
    assert not mine.leads()
    other.resign()
    assert mine.leads()
    bench.cluster.calls.clear()
    backend.glideins()
    backend.glideins()
    assert [call.words for call in bench.cluster.calls].count("list pods in namespace ai") >= 1


def test_a_leader_that_idles_costs_one_call_a_renewal(bench, backends, leaders):
    now, leader = leaders
    mine = leader("one")
    mine.leads()
    backend = settled(backends(leader=mine))
    bench.cluster.calls.clear()
    turns = 60
    for _ in range(turns):
        now[0] += 5
        assert mine.leads()
        backend.glideins()
    counts = Counter(f"{call.verb} {call.resource}" for call in bench.cluster.calls)
    assert counts == {"update leases": turns // 2}


def test_two_that_act_by_mistake_make_one_pod_a_name(bench, backends):
    crowd = [settled(backends()) for _ in range(3)]
    barrier, wrong = threading.Barrier(len(crowd)), []

    def act(backend):
        barrier.wait(SECONDS)
        try:
            for number in range(5):
                backend.start(f"a100-{number}", A100)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=act, args=(backend,)) for backend in crowd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(SECONDS)
    assert wrong == []
    wanted = [f"a100-{number}" for number in range(5)]
    assert bench.cluster.pod_names() == wanted
    assert all(names(backend) == wanted for backend in crowd)


# --- killed at any instruction ---


class Killed(BaseException):
    """The process ends here."""


class MortalApi:
    """Dies at its n-th call, before or after the cluster hears of it."""

    def __init__(self, cluster, life, after):
        self._api, self._left, self._after = TwinApi(cluster), life, after

    def call(self, call):
        self._left -= 1
        if self._left == 0 and not self._after:
            raise Killed
        answer = self._api.call(call)
        if self._left == 0:
            raise Killed
        return answer

    def stream(self, call):
        return self._api.stream(call)


def turn(backend, wanted):
    """What a reconciler does: take away what ended or is not wanted, ask for what is missing."""
    found = {glidein.name: glidein for glidein in backend.glideins()}
    ended = {name for name, glidein in found.items() if glidein.phase in (Phase.ENDED, Phase.FAILED)}
    backend.remove(ended | (set(found) - wanted))
    for name in sorted(wanted - {name for name in found if found[name].phase in (Phase.ASKED, Phase.RUNNING)}):
        backend.start(name, A100)


@pytest.mark.parametrize("after", [False, True])
def test_killed_at_any_call_and_started_again_nothing_leaks_and_nothing_doubles(after):
    deaths = 0
    for life in range(1, 40):
        cluster = TwinCluster(namespace="ai")
        wanted = {"a100-1", "a100-2"}
        deaths += _run_until_killed(cluster, life, after, wanted)
        gate = twin_kube(cluster)
        again = KubernetesBackend(gate, SITE, TEMPLATE, clock=lambda cluster=cluster: cluster.now)
        turn(again, wanted)
        turn(again, wanted)
        assert set(cluster.pod_names()) == wanted
        assert {glidein.phase for glidein in again.glideins()} <= {Phase.ASKED, Phase.RUNNING}
    assert 5 < deaths < 39  # every call was the last one once, and some lives were long enough


def _run_until_killed(cluster, life, after, wanted):
    hands = TwinHands(cluster)
    backend = KubernetesBackend(ApiKube(MortalApi(cluster, life, after), "ai"), SITE, TEMPLATE)
    try:
        turn(backend, wanted | {"a100-3"})
        for name in cluster.pod_names():
            hands.run(name)
            hands.finish(name)
        turn(backend, wanted)
        turn(backend, wanted)
    except Killed:
        return True
    return False


# --- the wire ---


def test_a_create_whose_answer_was_lost_is_known_at_once(tmp_path):
    cluster = TwinCluster(namespace="ai")
    bench = MemoryBench(cluster, tmp_path, ApiServer(cluster))
    gate = bench.gate()
    following = Following(gate, labels.selector("ai"), patience=PATIENT)
    backend = KubernetesBackend(gate, SITE, TEMPLATE, following=following)
    try:
        settled(backend)
        bench.server.faults = [Fault("cut", Verb.CREATE, after=True)]
        backend.start("a100-1", A100)
        assert names(backend) == ["a100-1"]
        bench.server.faults = [Fault("status", Verb.CREATE, times=10_000, retry_after=3600)]
        with pytest.raises(BackendUnavailable):
            backend.start("a100-2", A100)
        bench.server.faults = []
        assert names(backend) == ["a100-1"]
    finally:
        backend.close()
        bench.close()
