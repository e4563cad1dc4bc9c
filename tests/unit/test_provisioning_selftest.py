"""The selftest of a cluster: each step in words, each failure with its cure, and everything cleared away."""

import pytest
import yaml

from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.pool.twin import TwinPool
from mlinfn_condor.provisioning.backends.kubernetes import KubernetesSite
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.provisioning.selftest import SelftestFailed, on_kubernetes

A100 = NodeKind("a100", 16, 65536, DeviceKind.GPU, "A100", 1)
TEMPLATE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {},
    "spec": {"containers": [{"name": "glidein", "image": "glidein:1"}]},
}


class World:
    """A cluster and a pool, in which something happens, and time passes, each time that the selftest pauses."""

    def __init__(self, folder):
        self.cluster = TwinCluster(namespace="ai")
        self.hands = TwinHands(self.cluster)
        self.pool = TwinPool()
        self.folder, self.said, self.happens = folder, [], []
        self.now = 0.0
        (folder / "pod.yaml").write_text(yaml.safe_dump(TEMPLATE))
        submit = self.pool.submit

        def submit_and_run(description, access_point, rows=()):
            self.submitted = description
            job = submit(description, access_point, rows)
            if self.runs_jobs:
                self.pool.start(job)
                self.pool.finish(job)
            return job

        self.runs_jobs = True
        self.pool.submit = submit_and_run

    def run(self, *happens, user="provisioner", owner=""):
        self.happens = list(happens)
        on_kubernetes(
            KubernetesSite(pool="ai", template=self.folder / "pod.yaml"),
            self.pool,
            A100,
            self.folder,
            self.said.append,
            owner=owner,
            kube=twin_kube(self.cluster, user),
            clock=lambda: self.now,
            sleep=self.pause,
        )

    def pause(self, seconds):
        self.now += seconds
        if self.happens and self.pod:
            self.happens.pop(0)()

    @property
    def pod(self):
        return next(iter(self.cluster.pod_names()), None)

    def runs(self):
        self.hands.run(self.pod)

    def joins(self):
        uid = self.cluster.pod(self.pod)["metadata"]["uid"]
        self.pool._slots.append({"Name": f"slot1@{self.pod}", "MlinfnGlideinUid": uid})

    def goes(self):
        self.hands.vanish(self.pod)


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


def test_a_cluster_that_works_is_told_step_by_step_and_left_as_it_was(world):
    world.run(world.runs, world.joins, world.goes)
    told = "\n".join(world.said)
    for words in ("every right", "kind a100", "container runs", "collector knows", "to its end", "everything works"):
        assert words in told
    assert world.cluster.pod_names() == []
    assert world.pool.jobs() == []


def test_an_administrator_without_a_project_submits_its_job_in_somebodys_name(world):
    world.run(world.runs, world.joins, world.goes, owner="alice")
    assert "owner = alice\n" in world.submitted
    assert str(world.folder) not in world.submitted


def test_the_provisioner_of_the_pool_does_not_see_the_pod(world):
    seen = []

    def look():
        world.runs()
        seen.extend(twin_kube(world.cluster).pods("mlinfn.infn.it/pool=ai").pods)

    world.run(look, world.joins, world.goes)
    assert seen == []


def test_rights_that_are_missing_are_named_before_anything_is_made(world):
    world.cluster.rights["provisioner"] = {("pods", "list"), ("pods", "get"), ("pods", "watch")}
    with pytest.raises(
        SelftestFailed, match=r"create leases, create pods, delete pods, .*kubectl apply --namespace ai"
    ):
        world.run()
    assert world.cluster.pod_names() == []


def test_a_full_quota_is_told_with_its_cure(world):
    world.cluster.quota = {"pods": 0}
    with pytest.raises(SelftestFailed, match=r"exceeded quota.*larger quota"):
        world.run()


def test_an_image_that_cannot_be_had_is_told_with_its_cure(world):
    with pytest.raises(SelftestFailed, match=r"ImagePullBackOff: no such tag.*imagePullSecrets"):
        world.run(lambda: world.hands.wait(world.pod, "ImagePullBackOff", "no such tag"), world.goes)
    assert world.cluster.pod_names() == []


def test_a_pod_without_a_place_is_told_in_the_schedulers_and_the_autoscalers_words(world):
    def no_place():
        world.hands.find_no_place(world.pod)
        world.cluster.add_event(world.pod, "NotTriggerScaleUp", "no node group has this GPU")

    with pytest.raises(SelftestFailed, match=r"Insufficient nvidia.com/gpu.*no node group has this GPU.*autoscaler"):
        world.run(no_place)
    assert world.cluster.pod_names() == []


def test_a_glidein_that_the_collector_refuses_is_told_with_its_cure(world):
    words = '{"code": 30, "cause": "join", "detail": "the token is refused"}'
    with pytest.raises(SelftestFailed, match=r"the token is refused.*reach the collector"):
        world.run(world.runs, lambda: world.hands.finish(world.pod, 30, message=words))
    assert world.cluster.pod_names() == []


def test_a_glidein_that_the_collector_never_hears_of_is_told_with_its_cure(world):
    with pytest.raises(SelftestFailed, match="the collector does not know it"):
        world.run(world.runs, *[lambda: None] * 1000)


def test_a_job_that_finds_no_slot_there_is_taken_back(world):
    world.runs_jobs = False
    with pytest.raises(SelftestFailed, match="mlinfn why"):
        world.run(world.runs, world.joins, world.goes)
    assert world.pool.jobs() == []


def test_a_pod_that_does_not_go_is_named(world):
    world.run(world.runs, world.joins)
    assert "remove it by hand" in world.said[-2]


def test_a_cluster_that_does_not_answer_is_told(world):
    world.cluster.down = True
    with pytest.raises(SelftestFailed, match="does not answer"):
        world.run()


def test_what_a_killed_selftest_left_is_cleared_away_by_the_next(world):
    world.cluster.now = 1_000_000.0  # long ago
    left = fill(TEMPLATE, "a100-selftest-old", A100, KubernetesSite(pool="ai-selftest"))
    twin_kube(world.cluster).create_pod(left)
    world.run(world.runs, world.joins, world.goes)
    assert world.cluster.pod_names() == []
    assert any("earlier selftest left: a100-selftest-old" in words for words in world.said)
