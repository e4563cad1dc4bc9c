"""The manifests that are shipped: valid for the Kubernetes versions that we support, with exactly the rights we use."""

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from mlinfn_condor.kube import RIGHTS
from mlinfn_condor.kube.api import GROUP, Verb
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind

SUPPORTED = ("1.33.0", "1.34.0", "1.35.0", "1.36.0", "1.37.0")
"""docs/kubernetes.md states them."""
RIGHTS_FILE = Path(__file__).parents[2] / "glidein" / "kubernetes" / "rights.yaml"
TEMPLATE = {
    "apiVersion": "v1",
    "kind": "Pod",
    "metadata": {},
    "spec": {"containers": [{"name": "glidein", "image": "glidein:1"}]},
}


VALIDATE = (
    "import sys; sys.modules['rfc3987_syntax'] = None; from kubernetes_validate.__main__ import main; sys.exit(main())"
)
"""`kubernetes-validate`, in a process of its own and without a grammar for addresses that takes seconds to build."""


def validate(path: Path, *versions: str) -> subprocess.CompletedProcess[str]:
    chosen = [word for version in versions for word in ("--kubernetes-version", version)]
    command = [sys.executable, "-c", VALIDATE, "--strict", *chosen, str(path)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_role_grants_exactly_what_the_gate_uses():
    role = next(each for each in yaml.safe_load_all(RIGHTS_FILE.read_text()) if each["kind"] == "Role")
    granted = {
        (group, resource, Verb(verb))
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    assert granted == {(GROUP[resource], resource, verb) for resource, verb in RIGHTS}


def test_the_binding_gives_the_role_to_the_account_beside_it():
    account, role, binding = yaml.safe_load_all(RIGHTS_FILE.read_text())
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert [each["name"] for each in binding["subjects"]] == [account["metadata"]["name"]]


@pytest.fixture(scope="module")
def filled(tmp_path_factory) -> Path:
    """Pods as they are sent, of the sorts that differ most."""
    site = KubernetesSite(
        pool="ai",
        resources={"U250": "amd.com/xilinx_u250"},
        node_selector={"*": {"site": "cnaf"}},
        tolerations=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}],
        opportunistic_priority_class="low",
    )
    kinds = [
        NodeKind("bare", 8, 16384),
        NodeKind("a100", 16, 65536, DeviceKind.GPU, "A100", 2, "hep"),
        NodeKind("mig", 4, 16384, DeviceKind.GPU, "A100-1g.5gb", 1, pledged=False),
        NodeKind("fpga", 4, 16384, DeviceKind.FPGA, "U250", 1),
    ]
    path = tmp_path_factory.mktemp("pods") / "pods.yaml"
    path.write_text(yaml.safe_dump_all([fill(TEMPLATE, f"{kind.name}-1", kind, site) for kind in kinds]))
    return path


def test_rights_and_pods_are_valid_for_every_version_we_support(filled, tmp_path):
    both = tmp_path / "all.yaml"
    both.write_text(RIGHTS_FILE.read_text() + "---\n" + filled.read_text())
    checked = validate(both, *SUPPORTED)
    said = checked.stdout + checked.stderr
    assert checked.returncode == 0, said
    documents = len(list(yaml.safe_load_all(both.read_text())))
    for version in SUPPORTED:
        assert said.count(f"version {version.removesuffix('.0')}") == documents, said


def test_a_mistake_in_a_manifest_is_found(tmp_path):
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text(RIGHTS_FILE.read_text().replace("roleRef:", "roleRefs:"))
    checked = validate(wrong, SUPPORTED[-1])
    assert checked.returncode != 0
    assert "roleRef" in checked.stdout + checked.stderr
