"""Pods as glideins, and glideins as pods: the pure parts of the back end `kubernetes`."""

import json

import pytest
import yaml

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.kube.pods import read_pod
from mlinfn_condor.kube.twin import TwinCluster, twin_kube
from mlinfn_condor.kube.twin_hands import TwinHands
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends import NodeRefused
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill, read_template
from mlinfn_condor.provisioning.backends.kubernetes.reading import glidein
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind, Phase, Trouble

SITE = KubernetesSite(pool="ai")
BARE = NodeKind("bare", 8, 16384)
A100 = NodeKind("a100", 16, 65536, DeviceKind.GPU, "A100", 2, "hep")
MIG = NodeKind("mig", 4, 16384, DeviceKind.GPU, "A100-1g.5gb", 1, pledged=False)
FPGA = NodeKind("fpga", 4, 16384, DeviceKind.FPGA, "U250", 1)
TEMPLATE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {"namespace": "elsewhere", "labels": {"team": "ai"}},
    "spec": {
        "nodeSelector": {"arch": "amd64"},
        "terminationGracePeriodSeconds": 150,
        "containers": [
            {"name": "log-shipper", "image": "shipper:1"},
            {
                "name": "glidein",
                "image": "glidein:1",
                "env": [
                    {"name": "MLINFN_GLIDEIN_COLLECTOR", "value": "cm.example:9618"},
                    {"name": "MLINFN_GLIDEIN_NAME", "value": "a default"},
                ],
                "resources": {"limits": {"ephemeral-storage": "50Gi", "nvidia.com/gpu": "1", "cpu": "1"}},
            },
        ],
    },
}


def container(pod):
    return next(each for each in pod["spec"]["containers"] if each["name"] == "glidein")


def environment(pod):
    return {each["name"]: each.get("value", each.get("valueFrom")) for each in container(pod)["env"]}


def test_a_pod_bears_all_that_is_known_of_it_as_labels():
    labels = fill(TEMPLATE, "a100-1", A100, SITE, warm=True)["metadata"]["labels"]
    assert labels == {
        "team": "ai",
        "app.kubernetes.io/name": "mlinfn-glidein",
        "app.kubernetes.io/managed-by": "mlinfn",
        "mlinfn.infn.it/pool": "ai",
        "mlinfn.infn.it/kind": "a100",
        "mlinfn.infn.it/warm": "true",
        "mlinfn.infn.it/pledged": "true",
    }


def test_machines_are_the_templates_where_the_site_says_none():
    assert fill(TEMPLATE, "a100-1", A100, SITE)["spec"]["nodeSelector"] == {"arch": "amd64"}


def test_the_template_stays_as_it_is_and_its_own_settings_stay_in_the_pod():
    before = json.dumps(TEMPLATE)
    pod = fill(TEMPLATE, "a100-1", A100, SITE)
    assert json.dumps(TEMPLATE) == before
    assert "namespace" not in pod["metadata"]
    assert pod["spec"]["terminationGracePeriodSeconds"] == 150
    assert container(pod)["resources"]["limits"]["ephemeral-storage"] == "50Gi"
    assert pod["spec"]["containers"][0] == TEMPLATE["spec"]["containers"][0]


@pytest.mark.parametrize(
    ("kind", "devices"),
    [
        (BARE, {}),
        (A100, {"nvidia.com/gpu": "2"}),
        (MIG, {"nvidia.com/mig-1g.5gb": "1"}),
        (FPGA, {"amd.com/xilinx_u250": "1"}),
    ],
)
def test_a_pod_asks_for_what_its_kind_brings(kind, devices):
    site = SITE.model_copy(update={"resources": {"U250": "amd.com/xilinx_u250"}})
    resources = container(fill(TEMPLATE, "one", kind, site))["resources"]
    wanted = {"cpu": str(kind.cpus), "memory": f"{kind.memory_mb}Mi"} | devices
    assert resources["requests"] == wanted
    assert resources["limits"] == wanted | {"ephemeral-storage": "50Gi"}


def test_an_fpga_that_nobody_named_is_refused_with_the_cure():
    with pytest.raises(NodeRefused, match=r"kubernetes\.resources") as refused:
        fill(TEMPLATE, "one", FPGA, SITE)
    assert refused.value.trouble is Trouble.STARTUP


def test_the_entrypoint_is_told_who_it_is():
    told = environment(fill(TEMPLATE, "a100-1", A100, SITE))
    assert told == {
        "MLINFN_GLIDEIN_COLLECTOR": "cm.example:9618",
        "MLINFN_GLIDEIN_NAME": "a100-1",
        "MLINFN_GLIDEIN_KIND": "a100",
        "MLINFN_GLIDEIN_OWNER_PROJECT": "hep",
        "MLINFN_GLIDEIN_DEVICES": "A100:2",
        "MLINFN_GLIDEIN_WARM": "false",
        "MLINFN_GLIDEIN_UID": {"fieldRef": {"fieldPath": "metadata.uid"}},
        "MLINFN_GLIDEIN_POD": {"fieldRef": {"fieldPath": "metadata.name"}},
        "MLINFN_GLIDEIN_NODE": {"fieldRef": {"fieldPath": "spec.nodeName"}},
    }
    assert environment(fill(TEMPLATE, "bare-1", BARE, SITE))["MLINFN_GLIDEIN_DEVICES"] == "none"


def test_machines_are_chosen_and_places_given_back_as_the_site_says():
    site = SITE.model_copy(
        update={
            "node_selector": {"*": {"site": "cnaf"}, "mig": {"gpu": "a100"}},
            "priority_class": "ours",
            "opportunistic_priority_class": "anybodys",
            "image": "glidein:2",
        }
    )
    pledged, opportunistic = fill(TEMPLATE, "one", A100, site), fill(TEMPLATE, "two", MIG, site)
    assert pledged["spec"]["nodeSelector"] == {"site": "cnaf"}
    assert opportunistic["spec"]["nodeSelector"] == {"site": "cnaf", "gpu": "a100"}
    assert pledged["spec"]["priorityClassName"] == "ours"
    assert opportunistic["spec"]["priorityClassName"] == "anybodys"
    assert container(pledged)["image"] == "glidein:2"
    assert pledged["metadata"]["annotations"]["cluster-autoscaler.kubernetes.io/safe-to-evict"] == "false"
    assert pledged["spec"]["restartPolicy"] == "Never"


@pytest.mark.parametrize(
    ("text", "cure"),
    [
        ("kind: [", "no pod manifest"),
        ("kind: Deployment", "kind Pod"),
        ("kind: Pod\nspec: {}", "containers"),
        ("kind: Pod\nspec: {containers: [{name: a}, {name: b}]}", "'glidein'"),
    ],
)
def test_a_template_that_is_no_glidein_is_told_why(tmp_path, text, cure):
    (path := tmp_path / "pod.yaml").write_text(text)
    with pytest.raises(BadRequest, match=cure) as error:
        read_template(path)
    assert "pod.yaml" in str(error.value)


def test_a_template_is_read(tmp_path):
    (path := tmp_path / "pod.yaml").write_text(yaml.safe_dump(TEMPLATE))
    assert read_template(path) == TEMPLATE


# --- what a pod tells ---


@pytest.fixture
def cluster():
    cluster = TwinCluster()
    twin_kube(cluster).create_pod(fill(TEMPLATE, "one", A100, SITE, warm=True))
    return cluster


@pytest.fixture
def hands(cluster):
    return TwinHands(cluster)


def look(cluster):
    found = glidein(twin_kube(cluster).pod("one"))
    return found.phase, found.trouble, found.detail


def test_a_pod_that_waits_is_asked_for(cluster):
    found = glidein(twin_kube(cluster).pod("one"))
    assert (found.name, found.kind, found.phase, found.since) == ("one", "a100", Phase.ASKED, cluster.now)
    assert (found.warm, found.trouble, found.running_since) == (True, None, None)
    assert found.uid


def test_a_pod_without_a_place_stays_asked_for_in_the_schedulers_words(cluster, hands):
    hands.find_no_place("one", "0/3 nodes are available: 3 Insufficient nvidia.com/gpu.")
    phase, trouble, detail = look(cluster)
    assert (phase, trouble) == (Phase.ASKED, None)
    assert detail == "Unschedulable: 0/3 nodes are available: 3 Insufficient nvidia.com/gpu."


@pytest.mark.parametrize("reason", ["ContainerCreating", "PodInitializing", "ErrImagePull"])
def test_a_pod_that_is_being_prepared_is_asked_for(cluster, hands, reason):
    hands.wait("one", reason)
    assert look(cluster) == (Phase.ASKED, None, reason)


@pytest.mark.parametrize(
    ("reason", "trouble"),
    [
        ("ImagePullBackOff", Trouble.IMAGE),
        ("InvalidImageName", Trouble.IMAGE),
        ("CreateContainerConfigError", Trouble.STARTUP),
        ("RunContainerError", Trouble.STARTUP),
    ],
)
def test_a_pod_that_cannot_start_has_failed_by_its_cause(cluster, hands, reason, trouble):
    hands.wait("one", reason, "the words of the kubelet")
    assert look(cluster) == (Phase.FAILED, trouble, f"{reason}: the words of the kubelet")


def test_a_pod_that_runs_runs(cluster, hands):
    hands.run("one")
    assert look(cluster) == (Phase.RUNNING, None, "")
    assert glidein(twin_kube(cluster).pod("one")).running_since == cluster.now


@pytest.mark.parametrize(
    ("code", "phase", "trouble"),
    [
        (0, Phase.ENDED, None),
        (10, Phase.ENDED, None),
        (143, Phase.ENDED, None),
        (20, Phase.FAILED, Trouble.STARTUP),
        (30, Phase.FAILED, Trouble.POOL),
        (40, Phase.FAILED, Trouble.NODE),
        (1, Phase.FAILED, Trouble.UNKNOWN),
    ],
)
def test_an_exit_code_says_how_it_ended(cluster, hands, code, phase, trouble):
    hands.run("one")
    hands.finish("one", code)
    found = look(cluster)
    assert found[:2] == (phase, trouble)
    assert found[2]


def test_the_entrypoints_last_words_are_the_detail(cluster, hands):
    hands.run("one")
    hands.finish("one", 30, message=json.dumps({"code": 30, "cause": "join", "detail": "the token is refused"}) + "\n")
    assert look(cluster) == (Phase.FAILED, Trouble.POOL, "the token is refused")


def test_a_pod_that_ran_out_of_memory_says_so(cluster, hands):
    hands.run("one")
    hands.finish("one", 137, "OOMKilled")
    assert look(cluster) == (Phase.FAILED, Trouble.UNKNOWN, "OOMKilled")


def test_an_evicted_pod_has_lost_its_node(cluster, hands):
    hands.run("one")
    hands.evict("one", "The node was low on resource: memory.")
    assert look(cluster) == (Phase.FAILED, Trouble.NODE, "Evicted: The node was low on resource: memory. on node-1")


def test_a_pod_of_a_lost_machine_has_lost_its_node_though_nobody_confirms_its_end(cluster, hands):
    hands.run("one", "gpu-7")
    hands.lose_node("gpu-7")
    phase, trouble, detail = look(cluster)
    assert (phase, trouble) == (Phase.FAILED, Trouble.NODE)
    assert "gpu-7" in detail


def test_a_pod_that_the_kubelet_has_no_room_for_has_lost_its_node(cluster, hands):
    pod = cluster.pod("one")
    pod["status"] = {"phase": "Failed", "reason": "OutOfnvidia.com/gpu", "message": "Node didn't have enough resource"}
    assert look(cluster)[:2] == (Phase.FAILED, Trouble.NODE)


@pytest.mark.parametrize("before", ["run", "wait"])
def test_a_pod_that_was_removed_is_on_its_way(cluster, hands, before):
    kube = twin_kube(cluster)
    hands.run("one") if before == "run" else hands.wait("one", "ContainerCreating")
    kube.delete_pod(kube.pod("one"))
    assert look(cluster) == (Phase.LEAVING, None, "it was told to end")


def test_a_pod_that_ended_while_it_was_removed_has_ended(cluster, hands):
    kube = twin_kube(cluster)
    hands.run("one")
    kube.delete_pod(kube.pod("one"))
    hands.finish("one", 143)
    assert look(cluster)[:2] == (Phase.ENDED, None)


def test_a_pod_of_a_kind_that_nobody_knows_is_told_of_all_the_same(cluster):
    del cluster.pod("one")["metadata"]["labels"]["mlinfn.infn.it/kind"]
    assert glidein(twin_kube(cluster).pod("one")).kind == ""


@pytest.mark.parametrize("broken", [{}, {"metadata": None}, {"metadata": {"name": "x"}}, {"metadata": []}])
def test_what_is_no_pod_is_not_taken_for_one(broken):
    from mlinfn_condor.kube import KubeUnavailable

    with pytest.raises(KubeUnavailable, match="cannot be read"):
        read_pod(broken)
