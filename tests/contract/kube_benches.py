"""The clusters that the contract of the gate to Kubernetes runs on, and the hands that move things in them."""

import os
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest
from kube_standin import ApiServer

from mlinfn_condor.kube import RIGHTS, Kube, Pod, connect
from mlinfn_condor.kube.patience import Patience
from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands

LENT = os.environ.get("MLINFN_TEST_KUBECONFIG")
"""A cluster that somebody lends to the tests: each makes a namespace of its own there, and removes it."""
SELECTOR = "app.kubernetes.io/managed-by=mlinfn-contract"
QUICK = Patience(connect=2, read=2, deadline=1.5, first_pause=0.01, longest_pause=0.1, silence=2)
"""For calls that are to be given up."""
PATIENT = replace(QUICK, connect=60, read=60, deadline=60, silence=60)
"""For calls that are to be answered, also on a machine that stands still for a while."""


def manifest(name: str, **labels: str) -> dict:
    """The smallest pod that a real cluster takes."""
    container = {
        "name": "glidein",
        "image": "registry.k8s.io/pause:3.10",
        "resources": {"requests": {"cpu": "10m", "memory": "16Mi"}, "limits": {"cpu": "10m", "memory": "16Mi"}},
        "securityContext": {
            "allowPrivilegeEscalation": False,
            "capabilities": {"drop": ["ALL"]},
            "runAsNonRoot": True,
            "runAsUser": 65535,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
    }
    key, _, value = SELECTOR.partition("=")
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {key: value} | labels},
        "spec": {"containers": [container], "restartPolicy": "Never", "terminationGracePeriodSeconds": 5},
    }


@dataclass
class MemoryBench:
    """A cluster in memory; with a server, behind real HTTPS and the real client."""

    cluster: TwinCluster
    folder: Path
    server: ApiServer | None = None
    selector: str = SELECTOR
    seconds: float = 60.0
    hands: TwinHands = field(init=False)

    def __post_init__(self) -> None:
        # Exactly the rights of the Role that is shipped: a call that needs more fails here.
        self.cluster.rights |= {"provisioner": {(resource, str(verb)) for resource, verb in RIGHTS}, "stranger": set()}
        self.hands = TwinHands(self.cluster)

    def gate(self, user: str = "provisioner", page: int = 500, patience: Patience = PATIENT) -> Kube:
        if self.server is None:
            return twin_kube(self.cluster, user, page=page)
        gate = connect(self.server.kubeconfig(self.folder / user, user), patience=patience)
        gate._page = page
        return gate

    def run(self, name: str) -> None:
        self.hands.run(name)

    def evict(self, pod: Pod) -> None:
        self.hands.evict(pod.name)

    def lose_node(self, name: str) -> None:
        self.hands.lose_node(self.cluster.pod(name)["spec"]["nodeName"])

    def limit_pods(self, count: int) -> None:
        self.cluster.quota = {"pods": count}

    def tell(self, name: str, reason: str) -> None:
        self.cluster.add_event(name, reason, "for the contract")

    def forget(self) -> None:
        self.cluster.forget()

    def break_off(self) -> None:
        if self.server is None:
            with self.cluster.changed:
                self.cluster.down = True
                self.cluster.changed.notify_all()
        else:
            self.server.stop()

    def bring_back(self) -> None:
        if self.server is None:
            self.cluster.down = False
        else:
            self.server.start()

    def close(self) -> None:
        if self.server is not None:
            self.server.stop()


class ClusterBench:
    """A real cluster, in a namespace of its own that goes when the test has ended. What it cannot do is a skip."""

    seconds = 120.0

    def __init__(self, kubeconfig: Path, folder: Path) -> None:
        from kubernetes.client import CoreV1Api

        from mlinfn_condor.kube.bindings import ApiClient, Configuration, load_kube_config

        self._kubeconfig, self._folder = kubeconfig, folder
        configuration = Configuration()
        load_kube_config(str(kubeconfig), client_configuration=configuration)
        self._host, self._authority = configuration.host, configuration.ssl_ca_cert
        self._core = CoreV1Api(ApiClient(configuration))
        self.namespace = f"mlinfn-contract-{uuid.uuid4().hex[:8]}"
        self.selector = SELECTOR
        self._core.create_namespace({"metadata": {"name": self.namespace}})
        self._until(lambda: self._core.list_namespaced_service_account(self.namespace).items)

    def gate(self, user: str = "provisioner", page: int = 500, patience: Patience | None = None) -> Kube:
        if user == "provisioner":
            gate = connect(self._kubeconfig, namespace=self.namespace, patience=patience)
        else:
            gate = connect(self._stranger(user), namespace=self.namespace, patience=patience)
        gate._page = page
        return gate

    def run(self, name: str) -> None:
        self._until(lambda: self._core.read_namespaced_pod(name, self.namespace).status.phase == "Running")

    def evict(self, pod: Pod) -> None:
        self._core.create_namespaced_pod_eviction(
            pod.name, self.namespace, {"metadata": {"name": pod.name, "namespace": self.namespace}}
        )

    def lose_node(self, name: str) -> None:
        pytest.skip("no test takes a machine away from a real cluster: docs/operations.md, check on a real cluster")

    def limit_pods(self, count: int) -> None:
        quota = {"metadata": {"name": "contract"}, "spec": {"hard": {"pods": str(count)}}}
        self._core.create_namespaced_resource_quota(self.namespace, quota)
        self._until(lambda: self._core.read_namespaced_resource_quota("contract", self.namespace).status.hard)

    def tell(self, name: str, reason: str) -> None:
        pod = self._core.read_namespaced_pod(name, self.namespace)
        self._core.create_namespaced_event(
            self.namespace,
            {
                "metadata": {"generateName": f"{name}."},
                "involvedObject": {"kind": "Pod", "name": name, "namespace": self.namespace, "uid": pod.metadata.uid},
                "reason": reason,
                "message": "for the contract",
                "type": "Warning",
                "lastTimestamp": pod.metadata.creation_timestamp.isoformat(),
            },
        )

    def forget(self) -> None:
        pytest.skip("no test compacts a real cluster's store")

    def break_off(self) -> None:
        pytest.skip("no test restarts a real cluster's API server: docs/operations.md, check on a real cluster")

    def bring_back(self) -> None:
        """Never broken off."""

    def close(self) -> None:
        self._core.delete_namespace(self.namespace)

    def _stranger(self, user: str) -> Path:
        import yaml

        self._core.create_namespaced_service_account(self.namespace, {"metadata": {"name": user}})
        token = self._core.create_namespaced_service_account_token(user, self.namespace, {"spec": {"audiences": []}})
        there = {"server": self._host, "certificate-authority": self._authority}
        path = self._folder / user
        path.write_text(
            yaml.safe_dump(
                {
                    "clusters": [{"name": "c", "cluster": there}],
                    "users": [{"name": user, "user": {"token": token.status.token}}],
                    "contexts": [{"name": "c", "context": {"cluster": "c", "user": user}}],
                    "current-context": "c",
                }
            )
        )
        return path

    def _until(self, there: Callable[[], object]) -> None:
        """Wait for something outside of our gate, which cannot be watched by it."""
        import time

        until = time.monotonic() + self.seconds
        while not there():
            assert time.monotonic() < until, "the cluster did not get there"
            time.sleep(0.5)
