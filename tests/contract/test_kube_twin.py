"""The twin tells of objects as Kubernetes does: the models of its official client, made of its schema, take them."""

import pytest
from kube_benches import manifest

from mlinfn_condor.kube import Lease, Verb
from mlinfn_condor.kube.api import Call
from mlinfn_condor.kube.twin import TwinApi, TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands

HAPPENS = {
    "nothing": lambda hands: None,
    "no place": lambda hands: hands.find_no_place("one"),
    "image": lambda hands: hands.wait("one", "ImagePullBackOff", "no such tag"),
    "runs": lambda hands: hands.run("one"),
    "ended": lambda hands: (hands.run("one"), hands.finish("one", 30, message="no collector")),
    "evicted": lambda hands: (hands.run("one"), hands.evict("one")),
    "lost": lambda hands: (hands.run("one", "gpu-7"), hands.lose_node("gpu-7")),
}


@pytest.mark.parametrize("happens", HAPPENS)
def test_a_pod_in_any_state_is_one_of_kubernetes(happens):
    from mlinfn_condor.kube import bindings  # noqa: F401, I001 - first, because it knows how to import the client quickly
    from kubernetes.client import V1Pod

    cluster = TwinCluster()
    twin_kube(cluster).create_pod(manifest("one"))
    HAPPENS[happens](TwinHands(cluster))
    found = TwinApi(cluster).call(Call(Verb.GET, "pods", "mlinfn", "one"))
    V1Pod.model_validate(V1Pod.from_dict(found), strict=True)


def test_a_lease_is_one_of_kubernetes():
    from mlinfn_condor.kube import bindings  # noqa: F401, I001
    from kubernetes.client import V1Lease

    cluster = TwinCluster()
    twin_kube(cluster).put_lease(Lease("leader", "me", 45))
    found = V1Lease.from_dict(TwinApi(cluster).call(Call(Verb.GET, "leases", "mlinfn", "leader")))
    assert (found.spec.holder_identity, found.spec.lease_duration_seconds) == ("me", 45)
    assert found.spec.renew_time is not None
