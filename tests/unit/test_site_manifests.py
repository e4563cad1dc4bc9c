"""A site's manifests: valid for every version we support, held to policies, each of which can fail."""

import subprocess
import sys
from copy import deepcopy
from pathlib import Path

import kubernetes_validate
import manifest_policies as policies
import pytest
import yaml
from typer.testing import CliRunner

from mlinfn_condor.backup.settings import of_site
from mlinfn_condor.bench.instruments import SITE as INGESTION
from mlinfn_condor.cli.main import app
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.settings import Settings as ProvisioningSettings
from mlinfn_condor.settings_file import parse as parse_settings
from mlinfn_condor.site.cluster import SUPPORTED
from mlinfn_condor.site.first_file import Answers, text
from mlinfn_condor.site.overlay import components, database
from mlinfn_condor.site.rendering import render
from mlinfn_condor.site.settings import parse
from mlinfn_condor.site.writing import differences, write

EXAMPLE = text(Answers())
DIGEST = f"sha256:{'0123456789abcdef' * 4}"
ELSEWHERE = (
    text(Answers(name="bari", namespace="ai", nfs="nfs.example.org:/homes", storage_class="fast", issuer=""))
    .replace("grace_seconds = 135", 'grace_seconds = 315\ningress_namespace = "edge"\nseccomp_user_images = true\n'
             'runtime_class = "nvidia"\n'
             'jobs_never_reach = ["203.0.113.0/24"]\napi_server = "198.51.100.0/24"\n'
             'datastore = "db.example.org:5432"\n'
             'platform_nodes = { role = "platform" }')
    .replace('zone = "UTC"', 'zone = "Europe/Rome"')
    .replace('version = "0.1.0"', f'version = "0.1.0"\npull_secret = "registry"\ndigests = {{ platform = "{DIGEST}" }}')
    + """
[numbers]
vacate_seconds_cap = 300
owner_displaces_sessions = false
[database]
host = "db.example.org"
port = 5433
rest_schemas = ["radon"]
[backup]
repository = "s3:https://s3.example.org:9000/bari"
password = "mine/for-backups"
credentials = "mlinfn-backup/credentials"
late_after_hours = 30
[external]
central_manager = "cm.example.org:9618"
pools = ["cm.other.example:9618"]
projects = ["alpha"]
"""
)  # fmt: skip
SITES = {"example": EXAMPLE, "elsewhere": ELSEWHERE}
KUBECTL = Path(sys.executable).with_name("kubectl")


def rendered(name: str):
    return render(parse(SITES[name], "mlinfn.toml"))


def built(folder: Path) -> policies.Objects:
    done = subprocess.run([KUBECTL, "kustomize", folder], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return list(yaml.safe_load_all(done.stdout))


@pytest.fixture(scope="module")
def sites(tmp_path_factory) -> dict[str, policies.Objects]:
    found = {}
    for name in SITES:
        folder = tmp_path_factory.mktemp(name)
        write(rendered(name), folder)
        for overlay in sorted(folder.glob("overlay*")):
            found[f"{name}/{overlay.name}"] = built(overlay)
    return found


@pytest.mark.parametrize("version", SUPPORTED)
def test_every_object_is_valid_without_unknown_fields_for_kubernetes(sites, version):
    whole = version in (SUPPORTED[0], SUPPORTED[-1])
    for each in (each for name, objects in sites.items() if whole or name == "elsewhere/overlay" for each in objects):
        kubernetes_validate.validate(each, f"{version}.0", strict=True)


def test_an_unknown_field_would_be_refused(sites):
    wrong = deepcopy(next(each for each in sites["example/overlay"] if each["kind"] == "StatefulSet"))
    wrong["spec"]["template"]["spec"]["containers"][0]["readynessProbe"] = {}
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, f"{SUPPORTED[-1]}.0", strict=True)


@pytest.mark.parametrize("policy", policies.POLICIES, ids=lambda policy: policy.__name__)
def test_every_site_keeps_to(sites, policy):
    broken = {name: list(policy(objects)) for name, objects in sites.items()}
    assert broken == {name: [] for name in sites}


def first(objects, kind, name=None):
    return next(e for e in objects if e["kind"] == kind and name in (None, e["metadata"]["name"]))


def container(objects, name="hub", at=0):
    kind = "Deployment" if name in ("proxy", "services", "metrics") else "StatefulSet"
    return first(objects, kind, name)["spec"]["template"]["spec"]["containers"][at]


BREAKS = {
    policies.images_are_pinned: lambda o: container(o).update(image="registry.example.org/hub:latest"),
    policies.nobody_gains_privilege: lambda o: container(o)["securityContext"].pop("readOnlyRootFilesystem"),
    policies.root_has_a_reason: lambda o: container(o)["securityContext"]["capabilities"]["add"].append("SETUID"),
    policies.no_secret_is_told: lambda o: container(o)["env"].append(
        {"name": "DSN", "value": "postgresql://me:pw@db/x"}
    ),
    policies.resources_are_said: lambda o: container(o)["resources"]["limits"].pop("memory"),
    policies.requests_cover_what_was_measured: lambda o: container(o)["resources"]["requests"].update(memory="64Mi"),
    policies.probes_ask_something: lambda o: container(o).update(livenessProbe={"tcpSocket": {"port": 8081}}),
    policies.services_are_reached: lambda o: first(o, "Service", "hub")["spec"]["ports"][0].update(port=8082),
    policies.flows_meet: lambda o: first(o, "NetworkPolicy", "proxy")["spec"]["egress"].pop(),
    policies.nothing_flows_by_default: lambda o: o.remove(first(o, "NetworkPolicy", "deny-everything-else")),
    policies.one_budget_each: lambda o: first(o, "PodDisruptionBudget", "platform")["spec"].update(
        selector={"matchLabels": {"a": "b"}}
    ),
    policies.priorities_are_known: lambda o: first(o, "PriorityClass", "mlinfn-node").update(value=2000000),
    policies.the_cluster_is_asked_by_the_provisioner_alone: lambda o: container(o, "services", 1)[
        "volumeMounts"
    ].append({"name": "cluster", "mountPath": "/x"}),
    policies.each_reads_the_secrets_of_its_own_role: lambda o: container(o, "services", 1)["volumeMounts"].append(
        {"name": "database", "mountPath": "/x"}
    ),
    policies.what_is_mounted_is_there: lambda o: o.remove(first(o, "ConfigMap", "mlinfn-condor")),
    policies.the_standard_is_enforced: lambda o: first(o, "Namespace")["metadata"]["labels"].update(
        {"pod-security.kubernetes.io/enforce": "privileged"}
    ),
}


@pytest.mark.parametrize("policy", policies.POLICIES, ids=lambda policy: policy.__name__)
def test_it_would_be_noticed_who_breaks(sites, policy):
    changed = deepcopy(sites["example/overlay"])
    BREAKS[policy](changed)
    assert list(policy(changed)) != []


@pytest.mark.parametrize("name", SITES)
def test_the_same_site_gives_the_same_files_and_a_change_is_a_small_diff(name, tmp_path):
    write(rendered(name), tmp_path)
    assert list(differences(rendered(name), tmp_path)) == []
    changed = render(parse(SITES[name].replace('"alpha"', '"omega"'), "mlinfn.toml"))
    lines = [line for line in differences(changed, tmp_path) if line[0] in "+-" and line[:3] not in ("+++", "---")]
    assert 0 < len(lines) < 40
    assert all("alpha" in line or "omega" in line for line in lines), lines


def test_what_is_rendered_no_longer_goes_and_what_is_not_ours_stays(tmp_path):
    write(rendered("example"), tmp_path)
    (tmp_path / "overlay-files" / "notes.txt").write_text("mine")
    write(rendered("elsewhere"), tmp_path)
    assert [path.name for path in (tmp_path / "overlay-files").iterdir()] == ["notes.txt"]
    assert (tmp_path / "k3s" / "config.yaml").is_file()


@pytest.mark.parametrize("name", SITES)
def test_hub_and_provisioner_understand_their_files(name):
    files, site = rendered(name), parse(SITES[name], "mlinfn.toml")
    hub = parse_settings(files["overlay/hub/hub.toml"], "hub.toml", HubSettings)
    assert hub.tokens.trust_domain == site.hosts.domain
    assert hub.sessions.owners_displace_sessions is (name == "example")
    assert (hub.accounts.openid is not None) is (name == "example")
    told = parse_settings(files["overlay/provisioning/provisioning.toml"], "p.toml", ProvisioningSettings)
    template = yaml.safe_load(files["overlay/provisioning/pod.yaml"])
    for kind in told.node_kinds:
        pod = fill(template, f"{kind.name}-1", kind, told.kubernetes)
        for version in (SUPPORTED[0], SUPPORTED[-1]):
            kubernetes_validate.validate(pod, f"{version}.0", strict=True)
        assert pod["spec"]["terminationGracePeriodSeconds"] == site.kubernetes.grace_seconds
        assert pod["spec"]["priorityClassName"] == "mlinfn-node"
        assert "cluster-autoscaler.kubernetes.io/safe-to-evict" in pod["metadata"]["annotations"]
        assert pod["metadata"]["labels"]["app.kubernetes.io/name"] == "mlinfn-glidein"
        assert {"name": "TZ", "value": site.hosts.zone} in pod["spec"]["containers"][0]["env"]
        assert pod["spec"].get("runtimeClassName") == (None if name == "example" else "nvidia")


def test_the_service_of_backups_reads_what_the_site_says_and_its_secrets_as_files(sites, tmp_path):
    assert "overlay/storage/storage.toml" not in rendered("example")
    (tmp_path / "storage.toml").write_text(rendered("elsewhere")["overlay/storage/storage.toml"])
    storage, backup = of_site(tmp_path / "storage.toml")
    assert (storage.provider, storage.nfs.source) == ("nfs", "nfs.example.org:/homes")
    assert (backup.repository, backup.late_after_hours) == ("s3:https://s3.example.org:9000/bari", 30)
    hub = parse_settings(rendered("elsewhere")["overlay/hub/hub.toml"], "hub.toml", HubSettings)
    assert (hub.storage, hub.sessions.own_accounts) == (storage, True)
    objects = sites["elsewhere/overlay"]
    spec = first(objects, "Deployment", "services")["spec"]["template"]["spec"]
    (container,) = [each for each in spec["containers"] if each["name"] == "backup"]
    volumes = {each["name"]: each for each in spec["volumes"]}
    mounts = {each["mountPath"]: each for each in container["volumeMounts"]}
    # The entrypoint copies what is mounted in /etc/mlinfn/secrets to /run/mlinfn/secrets.
    secrets = volumes[mounts["/etc/mlinfn/secrets/backup"]["name"]]["projected"]["sources"]
    files = {f"/run/mlinfn/secrets/backup/{item['path']}": item for each in secrets for item in each["secret"]["items"]}
    assert files.keys() == {str(backup.password_file), str(backup.credentials_file)}
    assert next((e["secret"]["name"], e["secret"]["items"][0]["key"]) for e in secrets) == ("mine", "for-backups")
    assert mounts[str(storage.root)]["readOnly"] is True
    told = {each["name"]: each.get("value") for each in container["env"]}
    assert told["MLINFN_STORAGE"] == f"{mounts['/etc/mlinfn/storage']['mountPath']}/storage.toml"
    data = next(e for e in objects if e["metadata"]["name"].startswith("mlinfn-storage"))["data"]
    assert data["name"] == "bari"
    assert first(objects, "NetworkPolicy", "backup")["spec"]["egress"][0]["ports"][0]["port"] == 9000
    assert "services" not in {e["metadata"]["name"] for e in sites["example/overlay"] if e["kind"] == "Service"}


def test_homes_lie_at_one_place_for_hub_access_points_sessions_and_jobs(sites):
    for name, objects in sites.items():
        if not name.endswith("/overlay"):
            continue
        where = {
            (mount["mountPath"], mount.get("subPath"))
            for _, container, _ in policies.containers(objects)
            for mount in container["volumeMounts"]
            if mount["name"] == "homes"
        }
        assert where == {("/srv/mlinfn", None), ("/var/lib/mlinfn/shared", ".mlinfn")}
        volume = first(objects, "PersistentVolume")["spec"]
        assert {"hard", "nosuid", "nodev", "vers=4.2", "fsc"} <= set(volume["mountOptions"])
    node = yaml.safe_load(rendered("elsewhere")["overlay/provisioning/pod.yaml"])["spec"]["containers"][0]
    assert {"name": "homes", "mountPath": "/srv/mlinfn"} in node["volumeMounts"]


def test_a_sites_choices_reach_its_manifests(sites):
    objects = sites["elsewhere/overlay"]
    assert "elsewhere/overlay-files" not in sites
    assert {e["metadata"]["namespace"] for e in objects if e["kind"] in policies.WORKLOADS} == {"ai"}
    names = {(e["kind"], e["metadata"]["name"]) for e in objects}
    assert not {("StatefulSet", "database"), ("StatefulSet", "central-manager")} & names
    assert ("Deployment", "rest") in names
    hub, batch = (first(objects, "StatefulSet", name)["spec"] for name in ("hub", "batch"))
    assert hub["template"]["spec"]["nodeSelector"] == {"role": "platform"}
    assert hub["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    assert batch["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"
    assert batch["template"]["spec"]["containers"][0]["image"] == f"registry.example.org/mlinfn/platform@{DIGEST}"
    flows = {e["metadata"]["name"]: e["spec"] for e in objects if e["kind"] == "NetworkPolicy"}
    (world,) = [r for r in flows["nodes"]["egress"] if "ipBlock" in r["to"][0]]
    assert "203.0.113.0/24" in world["to"][0]["ipBlock"]["except"]
    assert flows["platform-asks-the-database"]["egress"][0]["ports"][0]["port"] == 5433
    assert "edge" in str(flows["world-calls-the-proxy"])
    addresses = next(e for e in objects if e["metadata"]["name"].startswith("mlinfn-database"))["data"]
    assert addresses["recorder"].startswith(
        "postgresql://mlinfn_recorder@db.example.org:5433/mlinfn?sslmode=verify-full"
    )
    configuration = first(objects, "ConfigMap", "mlinfn-condor")["data"]["site.conf"]
    for line in (
        "MLINFN_VACATE_SECONDS_CAP = 300",
        "COLLECTOR_HOST = cm.example.org:9618",
        "MLINFN_FLOCK_PROJECTS = alpha",
    ):
        assert line in configuration


def test_the_running_site_is_compared_by_kubectl_and_without_one_that_is_said(tmp_path, monkeypatch):
    file = tmp_path / "mlinfn.toml"
    file.write_text(EXAMPLE)
    kubectl = tmp_path / "bin" / "kubectl"
    kubectl.parent.mkdir()
    monkeypatch.setenv("PATH", str(kubectl.parent))
    command = ["config", "diff", str(file), "--context", "bari"]
    assert "there is no kubectl on PATH" in str(CliRunner().invoke(app, command).exception)
    kubectl.write_text(f'#!/bin/sh\necho "$@" >{tmp_path}/asked\ntest -f "$5/kustomization.yaml" && exit 1\n')
    kubectl.chmod(0o700)
    assert CliRunner().invoke(app, command).exit_code == 1
    assert (tmp_path / "asked").read_text().startswith("--context bari diff -k ")


def test_a_folder_is_compared_and_the_exit_code_says_whether_it_differs(tmp_path):
    file = tmp_path / "mlinfn.toml"
    file.write_text(EXAMPLE)
    run = CliRunner().invoke
    assert run(app, ["config", "render", str(file), "--output", str(tmp_path / "deploy")]).exit_code == 0
    assert run(app, ["config", "diff", str(file), str(tmp_path / "deploy")]).exit_code == 0
    file.write_text(EXAMPLE.replace("most = 2", "most = 3"))
    changed = run(app, ["config", "diff", str(file), str(tmp_path / "deploy")])
    assert (changed.exit_code, "+most = 3" in changed.output) == (1, True)


def test_k3s_is_told_its_database_without_a_password():
    told = yaml.safe_load(rendered("elsewhere")["k3s/config.yaml"])
    assert told["datastore-endpoint"] == "postgres://k3s@db.example.org:5432/k3s?sslmode=verify-full"
    assert {"datastore-cafile", "datastore-certfile", "datastore-keyfile"} <= told.keys()
    assert not any(name.startswith("k3s") for name in rendered("example"))


def test_ingestion_is_a_postgrest_that_asks_the_database_who_somebody_is():
    site = parse(EXAMPLE + INGESTION.format(issuer="https://iam.example.org"), "mlinfn.toml")
    assert "rest" in components(site)
    told = database(site)
    assert (told["rest-schemas"], told["rest-anonymous"]) == ("api", "mlinfn_visitor")
    assert (told["rest-enter"], told["rest-audience"]) == ("mlinfn_ingest.enter", "mlinfn-ingestion")
