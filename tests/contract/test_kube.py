"""What every cluster promises us: the twin, the real client before an API server, and a real cluster if one is lent."""

import threading
from itertools import takewhile

import pytest
from kube_benches import LENT, QUICK, manifest

from mlinfn_condor.kube import (
    RIGHTS,
    AlreadyExists,
    ChangeKind,
    Conflict,
    KubeDenied,
    KubeRefused,
    KubeUnavailable,
    Lease,
    PodPhase,
    QuotaExceeded,
    Verb,
    VersionGone,
)


def test_a_real_cluster_is_lent_to_these_tests():
    if not LENT:
        pytest.skip(
            "MLINFN_TEST_KUBECONFIG names no cluster: these tests ran on the twin and on the API server's stand-in"
        )


def changes_until(bench, gate, version, wanted):
    """Changes up to the one that `wanted` takes, bookmarks left out."""
    seen = []
    with gate.watch_pods(bench.selector, version, int(bench.seconds)) as watch:
        for change in watch:
            if change.pod is not None:
                seen.append(change)
                if wanted(change):
                    return seen
    raise AssertionError(f"it did not come: {seen}")


def test_a_created_pod_is_found_with_its_labels_and_waits(kube_bench):
    gate = kube_bench.gate()
    made = gate.create_pod(manifest("one", colour="blue"))
    (found,) = gate.pods(kube_bench.selector).pods
    assert (found.name, found.uid, found.labels["colour"]) == ("one", made.uid, "blue")
    assert made.phase is PodPhase.PENDING
    assert made.leaving is None
    assert gate.pod("one").uid == made.uid


def test_a_pod_that_nobody_made_is_none(kube_bench):
    assert kube_bench.gate().pod("nobody") is None


def test_a_name_is_given_once(kube_bench):
    gate = kube_bench.gate()
    gate.create_pod(manifest("one"))
    with pytest.raises(AlreadyExists, match="one"):
        gate.create_pod(manifest("one"))


def test_a_pod_that_cannot_be_is_refused_with_the_reason(kube_bench):
    with pytest.raises(KubeRefused, match=r"metadata\.name"):
        kube_bench.gate().create_pod(manifest("Not_A_Name"))


def test_only_pods_with_the_labels_are_listed(kube_bench):
    gate = kube_bench.gate()
    gate.create_pod(manifest("one", colour="blue"))
    gate.create_pod(manifest("two", colour="red"))
    assert [pod.name for pod in gate.pods(f"{kube_bench.selector},colour=red").pods] == ["two"]


def test_a_list_in_pages_is_whole(kube_bench):
    gate = kube_bench.gate(page=2)
    names = [f"pod-{number}" for number in range(5)]
    for name in names:
        gate.create_pod(manifest(name))
    listing = gate.pods(kube_bench.selector)
    assert sorted(pod.name for pod in listing.pods) == names
    assert listing.version


def test_a_watch_tells_what_happens_after_the_list_in_order(kube_bench):
    gate = kube_bench.gate()
    gate.create_pod(manifest("before"))
    version = gate.pods(kube_bench.selector).version
    pod = gate.create_pod(manifest("after"))
    kube_bench.run("after")
    gate.delete_pod(pod, 0)
    seen = changes_until(kube_bench, gate, version, lambda change: change.kind is ChangeKind.DELETED)
    seen = [change for change in seen if change.pod.name == "after"]
    assert seen[0].kind is ChangeKind.ADDED
    assert any(change.pod.phase is PodPhase.RUNNING for change in seen)
    assert all(change.version == change.pod.version for change in seen)


def test_a_watch_goes_on_where_another_one_stopped(kube_bench):
    gate = kube_bench.gate()
    version = gate.pods(kube_bench.selector).version
    gate.create_pod(manifest("one"))
    first = changes_until(kube_bench, gate, version, lambda change: change.pod.name == "one")
    gate.create_pod(manifest("two"))
    more = changes_until(kube_bench, gate, first[-1].version, lambda change: change.pod.name == "two")
    assert ("one", ChangeKind.ADDED) not in {(change.pod.name, change.kind) for change in more}


def test_a_watch_ends_when_its_time_is_over(kube_bench):
    gate = kube_bench.gate()
    version = gate.pods(kube_bench.selector).version
    with gate.watch_pods(kube_bench.selector, version, 1) as watch:
        assert all(change.pod is None for change in watch)


def test_a_watch_that_is_closed_by_another_thread_ends_at_once(kube_bench):
    gate = kube_bench.gate()
    watch = gate.watch_pods(kube_bench.selector, gate.pods(kube_bench.selector).version, 600)
    reader = threading.Thread(target=lambda: list(watch))
    reader.start()
    watch.close()
    reader.join(60)
    assert not reader.is_alive()


def test_a_version_that_is_forgotten_means_to_list_anew(kube_bench):
    gate = kube_bench.gate()
    version = gate.pods(kube_bench.selector).version
    kube_bench.forget()
    with pytest.raises(VersionGone), gate.watch_pods(kube_bench.selector, version, 5) as watch:
        list(watch)
    assert gate.pods(kube_bench.selector).pods == ()


def test_a_pod_that_waits_is_gone_when_it_is_deleted(kube_bench):
    gate = kube_bench.gate()
    pod = gate.create_pod(manifest("one"))
    version = pod.version
    gate.delete_pod(pod)
    changes_until(kube_bench, gate, version, lambda change: change.kind is ChangeKind.DELETED)
    assert gate.pods(kube_bench.selector).pods == ()
    assert gate.delete_pod(pod) is None


def test_a_pod_that_runs_has_its_grace_period(kube_bench):
    gate = kube_bench.gate()
    pod = gate.create_pod(manifest("one"))
    kube_bench.run("one")
    leaving = gate.delete_pod(pod)
    assert leaving.leaving > leaving.created
    assert leaving.uid == pod.uid


def test_another_pod_of_the_same_name_is_left_alone(kube_bench):
    gate = kube_bench.gate()
    earlier = gate.create_pod(manifest("one"))
    gate.delete_pod(earlier, 0)
    changes_until(kube_bench, gate, earlier.version, lambda change: change.kind is ChangeKind.DELETED)
    later = gate.create_pod(manifest("one"))
    assert gate.delete_pod(earlier) is None
    assert gate.pod("one").uid == later.uid


def test_an_evicted_pod_says_so(kube_bench):
    gate = kube_bench.gate()
    pod = gate.create_pod(manifest("one"))
    kube_bench.run("one")
    kube_bench.evict(pod)
    seen = changes_until(kube_bench, gate, pod.version, lambda change: change.pod.disrupted)
    assert seen[-1].pod.reason in {"Evicted", "EvictionByEvictionAPI"}
    assert seen[-1].pod.message


def test_a_pod_whose_node_is_gone_says_so(kube_bench):
    gate = kube_bench.gate()
    pod = gate.create_pod(manifest("one"))
    kube_bench.run("one")
    kube_bench.lose_node("one")
    lost = changes_until(kube_bench, gate, pod.version, lambda change: change.pod.disrupted)[-1].pod
    assert lost.leaving is not None
    assert "node" in lost.message


def test_a_quota_that_is_full_refuses_and_says_how_much_there_is(kube_bench):
    kube_bench.limit_pods(1)
    gate = kube_bench.gate()
    gate.create_pod(manifest("one"))
    with pytest.raises(QuotaExceeded, match="pods=1"):
        gate.create_pod(manifest("two"))
    assert [pod.name for pod in gate.pods(kube_bench.selector).pods] == ["one"]


def test_a_right_that_is_missing_is_named_with_its_cure(kube_bench):
    stranger = kube_bench.gate("stranger")
    with pytest.raises(KubeDenied, match=r"create pods in namespace .*rights.yaml"):
        stranger.create_pod(manifest("one"))
    with pytest.raises(KubeDenied):
        stranger.pods(kube_bench.selector)
    with pytest.raises(KubeDenied), stranger.watch_pods(kube_bench.selector, "0", 5) as watch:
        list(watch)


def test_who_asks_is_told_what_he_may(kube_bench):
    stranger, provisioner = kube_bench.gate("stranger"), kube_bench.gate()
    assert not stranger.may(Verb.CREATE, "pods")
    assert all(provisioner.may(verb, resource) for resource, verb in RIGHTS)


def test_a_server_that_was_away_has_all_pods_again(kube_bench):
    gate = kube_bench.gate()
    quick = kube_bench.gate(patience=QUICK)
    gate.create_pod(manifest("one"))
    version = gate.pods(kube_bench.selector).version
    watch = iter(gate.watch_pods(kube_bench.selector, version, 30))
    gate.create_pod(manifest("two"))
    assert next(watch).pod.name == "two"
    kube_bench.break_off()
    with pytest.raises(KubeUnavailable):
        list(watch)
    with pytest.raises(KubeUnavailable):
        quick.pods(kube_bench.selector)
    kube_bench.bring_back()
    assert {pod.name for pod in gate.pods(kube_bench.selector).pods} == {"one", "two"}
    again = changes_until(kube_bench, gate, version, lambda change: change.pod.name == "two")
    assert again[-1].kind is ChangeKind.ADDED


def test_a_lease_is_written_only_over_the_version_that_was_read(kube_bench):
    one, two = kube_bench.gate(), kube_bench.gate()
    assert one.lease("leader") is None
    first = one.put_lease(Lease("leader", "one", 45))
    with pytest.raises(AlreadyExists):
        two.put_lease(Lease("leader", "two", 45))
    assert two.lease("leader") == first
    renewed = one.put_lease(first)
    assert renewed.version != first.version
    with pytest.raises(Conflict):
        two.put_lease(Lease("leader", "two", 45, 1, first.version))
    assert one.lease("leader").holder == "one"


def test_what_happened_to_a_pod_is_told(kube_bench):
    gate = kube_bench.gate()
    pod = gate.create_pod(manifest("one"))
    gate.create_pod(manifest("two"))
    kube_bench.tell("one", "FailedMount")
    kube_bench.tell("two", "FailedScheduling")
    told = [event.reason for event in gate.pod_events(pod)]
    assert "FailedMount" in told
    assert not list(takewhile(lambda reason: reason == "FailedScheduling", told))
