"""A pod, made over HTTPS, becomes a node of a real pool and runs a job: only scheduler and kubelet are stand-ins."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import yaml
from apart import apart
from driver import wait_until
from glideins import orders
from kube_standin import ApiServer

from mlinfn_condor.embedded.lifecycle import RunningPool
from mlinfn_condor.glidein import processes
from mlinfn_condor.kube import connect
from mlinfn_condor.kube.twin import TwinCluster
from mlinfn_condor.kube.twin_hands import TwinHands
from mlinfn_condor.pool.real import RealPool
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.selftest import Limits, SelftestFailed, on_kubernetes
from mlinfn_condor.shipped import shipped

BARE = NodeKind("bare", 2, 4096)
NODE = "machine-7"
PATIENT = Limits(start=60, join=60, job=60, leave=60, pause=0.2)


class Kubelet:
    """Runs the pods of a cluster in memory as processes of this machine, as their manifests say."""

    def __init__(self, cluster: TwinCluster, folder: Path) -> None:
        self._cluster, self._hands, self._folder = cluster, TwinHands(cluster), folder
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        self.codes: list[int] = []

    def _work(self) -> None:
        while not self._over.wait(0.1):
            for name in self._cluster.pod_names():
                pod = self._cluster.pod(name)
                if name not in self._running:
                    self._hands.run(name, NODE)
                    self._running[name] = self._begin(pod)
                elif (code := self._running[name].poll()) is not None:
                    self.codes.append(code)
                    words = (self._folder / "words").read_text()
                    self._hands.finish(name, code, message=words)
                    if "deletionTimestamp" in pod["metadata"]:
                        self._hands.vanish(name)
                elif "deletionTimestamp" in pod["metadata"]:
                    self._running[name].send_signal(signal.SIGTERM)

    def _begin(self, pod) -> "subprocess.Popen[str]":
        fields = {f"metadata.{key}": pod["metadata"][key] for key in ("name", "uid")} | {"spec.nodeName": NODE}
        told = {
            each["name"]: each["value"] if "value" in each else fields[each["valueFrom"]["fieldRef"]["fieldPath"]]
            for each in pod["spec"]["containers"][0]["env"]
        }
        environment = os.environ | told | {"MLINFN_PYTHON": sys.executable}
        with (self._folder / "stderr").open("w") as stderr:
            return subprocess.Popen([shipped("glidein") / "entrypoint"], env=environment, stderr=stderr, text=True)

    @contextmanager
    def at_work(self) -> Iterator["Kubelet"]:
        self._thread.start()
        try:
            yield self
        finally:
            self._over.set()
            self._thread.join(10)
            for process in self._running.values():
                process.kill()
                process.wait()
            processes.end(self._folder / "w")


@pytest.fixture
def cluster() -> TwinCluster:
    return TwinCluster(namespace="ai")


@pytest.fixture
def server(cluster: TwinCluster) -> Iterator[ApiServer]:
    running = ApiServer(cluster)
    yield running
    running.stop()


@pytest.fixture
def folder(bare_pool: RunningPool) -> Path:
    """Below the pool, and short: sockets lie in it."""
    folder = bare_pool.layout.folder / "glideins" / "pod"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def template(folder: Path, told: dict[str, str]) -> Path:
    env = [{"name": name, "value": value} for name, value in told.items()]
    container = {"name": "glidein", "image": "glidein:1", "env": env}
    path = folder / "pod.yaml"
    spec = {"containers": [container], "terminationGracePeriodSeconds": 30}
    path.write_text(yaml.safe_dump({"apiVersion": "v1", "kind": "Pod", "metadata": {}, "spec": spec}))
    return path


def selftest(bare_pool: RunningPool, server: ApiServer, folder: Path, tmp_path: Path, **more: object) -> list[str]:
    said: list[str] = []
    site = KubernetesSite(pool="ai", template=template(folder, orders(bare_pool, folder, "unused", **more)))
    gate = connect(server.kubeconfig(tmp_path / "kubeconfig"))
    with apart(RealPool, bare_pool.environment()) as pool, Kubelet(server.cluster, folder).at_work() as kubelet:
        on_kubernetes(site, pool, BARE, tmp_path, said.append, kube=gate, limits=PATIENT)
    assert kubelet.codes == [143]
    return said


def test_a_pod_joins_the_pool_runs_a_job_and_goes(bare_pool, server, folder, tmp_path):
    said = selftest(bare_pool, server, folder, tmp_path, description=None)
    assert said[-1] == "everything works"
    assert any(words.endswith("ran there to its end") for words in said)
    assert server.cluster.pod_names() == []
    wait_until(lambda: not list(processes.members(folder / "w")), 10, "nothing of the glidein is left")


def test_a_pod_whose_token_is_refused_is_told_with_its_cure(bare_pool, server, folder, tmp_path):
    empty = tmp_path / "tokens"
    empty.mkdir()
    with pytest.raises(SelftestFailed, match=r"it failed: .*its token must be one that this pool signed"):
        selftest(bare_pool, server, folder, tmp_path, description=None, tokens=empty, join_seconds=5)
    assert server.cluster.pod_names() == []
