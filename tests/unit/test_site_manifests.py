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
from mlinfn_condor.hub import window
from mlinfn_condor.hub.settings import HubSettings
from mlinfn_condor.ingestion.settings import read as read_ingestion
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.settings import Settings as ProvisioningSettings
from mlinfn_condor.settings_file import parse as parse_settings
from mlinfn_condor.site.addresses import database
from mlinfn_condor.site.cluster import SUPPORTED
from mlinfn_condor.site.first_file import Answers, text
from mlinfn_condor.site.overlay import components
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
INSTRUMENTS = (
    EXAMPLE.replace('zone = "UTC"', 'zone = "UTC"\ndata = "https://data.example.org"').replace(
        "[kubernetes]\n", '[kubernetes]\ningress_namespace = "edge"\n'
    )
    + "[identity]\nfirst_number = 30000\nkeep_days = 30\n"
    + "[backup]\nrepository = 's3:https://s3.example.org/b'\ncredentials = 'mlinfn-backup/keys'\n"
    + INGESTION.format(issuer="https://iam.example.org")
)
SITES = {"example": EXAMPLE, "elsewhere": ELSEWHERE, "instruments": INSTRUMENTS}
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
    return pod(objects, name)["containers"][at]


def pod(objects, name):
    (found,) = [spec for each, spec, _ in policies.pods(objects) if each == name]
    return found


def mounted(spec, name, within="containers"):
    """By path, the volume that a container has there, and what of it."""
    (one,) = [each for each in spec[within] if each["name"] == name]
    volumes = {each["name"]: each for each in spec["volumes"]}
    return {
        each["mountPath"]: volumes.get(each["name"], {}) | {"of": each.get("subPath")} for each in one["volumeMounts"]
    }


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
    assert hub.sessions.owners_displace_sessions is (name != "elsewhere")
    assert (hub.accounts.openid is not None) is (name != "elsewhere")
    told = parse_settings(files["overlay/provisioning/provisioning.toml"], "p.toml", ProvisioningSettings)
    template = yaml.safe_load(files["overlay/provisioning/pod.yaml"])
    for kind in told.node_kinds:
        node = fill(template, f"{kind.name}-1", kind, told.kubernetes)
        for version in (SUPPORTED[0], SUPPORTED[-1]):
            kubernetes_validate.validate(node, f"{version}.0", strict=True)
        assert node["spec"]["terminationGracePeriodSeconds"] == site.kubernetes.grace_seconds
        assert node["spec"]["priorityClassName"] == "mlinfn-node"
        assert "cluster-autoscaler.kubernetes.io/safe-to-evict" in node["metadata"]["annotations"]
        assert node["metadata"]["labels"]["app.kubernetes.io/name"] == "mlinfn-glidein"
        assert {"name": "TZ", "value": site.hosts.zone} in node["spec"]["containers"][0]["env"]
        assert node["spec"].get("runtimeClassName") == ("nvidia" if name == "elsewhere" else None)


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
        # What the hub tells of people; and what backups ask for, beside the homes that they only read.
        parts = {("/var/lib/mlinfn/shared", ".mlinfn"), ("/var/lib/extrausers", ".mlinfn/people")}
        copies = {(path, ".mlinfn/copies") for path in ("/var/lib/mlinfn/copies", "/srv/mlinfn/.mlinfn/copies")}
        assert where == {("/srv/mlinfn", None)} | parts | (copies if not name.startswith("example") else set())
        volume = first(objects, "PersistentVolume")["spec"]
        assert {"hard", "nosuid", "nodev", "vers=4.2", "fsc"} <= set(volume["mountOptions"])
    node = yaml.safe_load(rendered("elsewhere")["overlay/provisioning/pod.yaml"])["spec"]["containers"][0]
    assert {"name": "homes", "mountPath": "/srv/mlinfn"} in node["volumeMounts"]


def test_everybody_who_needs_names_has_those_that_the_hub_writes_of_the_register(sites):
    for name in SITES:
        objects, files = sites[f"{name}/overlay"], rendered(name)
        hub = parse_settings(files["overlay/hub/hub.toml"], "hub.toml", HubSettings)
        told = hub.accounts.identity
        written = {(path, each["of"]) for path, each in mounted(pod(objects, "hub"), "hub").items()}
        assert told.folder.parent == Path("/var/lib/mlinfn/shared")
        assert ("/var/lib/mlinfn/shared", ".mlinfn") in written
        of_register = f".mlinfn/{told.folder.name}"
        for where in ("hub", "interactive", "batch"):
            inner = "hub" if where == "hub" else "schedd"
            assert mounted(pod(objects, where), inner)["/var/lib/extrausers"]["of"] == of_register
        node = yaml.safe_load(files["overlay/provisioning/pod.yaml"])["spec"]["containers"][0]
        users = {"name": "homes", "mountPath": "/var/lib/extrausers", "readOnly": True, "subPath": of_register}
        assert users in node["volumeMounts"]
        # The hub enters the register with a password of its own, by the address that the others have too.
        addresses = next(e for e in objects if e["metadata"]["name"].startswith("mlinfn-database"))["data"]
        assert told.database == addresses["identity"]
        secret = mounted(pod(objects, "hub"), "hub")["/etc/mlinfn/secrets/database"]["secret"]
        assert secret["items"] == [{"key": "identity", "path": "pgpass"}]
        (hub_itself,) = [each for each in pod(objects, "hub")["containers"] if each["name"] == "hub"]
        assert {"name": "PGPASSFILE", "value": "/run/mlinfn/secrets/database/pgpass"} in hub_itself["env"]


def test_numbers_of_people_are_those_of_the_sites_file(sites):
    given = {}
    for name in SITES:
        before = pod(sites[f"{name}/overlay"], "services")["initContainers"]
        (number,) = [each for each in before if each["name"] == "number-people"]
        given[name] = number["args"]
        assert before[0]["args"][:3] == ["mlinfn", "db", "migrate"]
        names = [each["name"] for each in before]
        assert names.index("migrate") < names.index("number-people") < names.index("let-roles-in")
    assert given["example"] == ["mlinfn", "identity", "range", "20000", "59999", "--keep-days", "180"]
    assert given["instruments"] == ["mlinfn", "identity", "range", "30000", "59999", "--keep-days", "30"]


def test_daemons_have_the_lists_of_tokens_where_their_configuration_looks(sites):
    for name in SITES:
        objects, files = sites[f"{name}/overlay"], rendered(name)
        roles = ["interactive", "batch"] + (["central-manager"] if name != "elsewhere" else [])
        for role in roles:
            inner = "schedd" if role != "central-manager" else role
            mounts = mounted(pod(objects, role), inner)
            told = dict(
                line.split(" = ") for line in files[f"overlay/condor/{role}.conf"].splitlines() if " = " in line
            )
            # Tokens of a central manager that is somebody else's are on no list of this site.
            assert told["MLINFN_BELIEVE_LISTED_TOKENS_ONLY"] == ("false" if name == "elsewhere" else "true")
            folder, _, file = told["MLINFN_TOKEN_LIST"].rpartition("/")
            assert (mounts[folder]["secret"]["secretName"], file) == ("mlinfn-token-list", "tokens.map")
            assert mounts[folder]["secret"]["defaultMode"] == 0o440, "for condor's group: the daemons"
            assert pod(objects, role)["securityContext"]["fsGroup"] == 9618
            for macro in ("MLINFN_LEAVERS_MAP", "MLINFN_PEOPLES_TOKEN_LIST"):
                assert told[macro].rpartition("/")[0] in mounts
        hub = parse_settings(files["overlay/hub/hub.toml"], "hub.toml", HubSettings).membership
        assert hub.daemons_group == 9618
        assert told["MLINFN_LEAVERS_MAP"].endswith(hub.leavers_map.name)
        assert "LISTED" not in files["overlay/glidein/site.conf"], "a node has no key, and no list"
    (keeper,) = [
        each for each in pod(sites["example/overlay"], "central-manager")["containers"] if each["name"] == "growing"
    ]
    words = keeper["args"][1:]
    for who, origin, near in zip(words[::3], words[1::3], words[2::3], strict=True):
        assert "negotiator" in who
        assert origin.startswith("/var/lib/mlinfn/shared/")
        assert near.startswith("/var/lib/mlinfn/growing/")
    for line in rendered("example")["overlay/condor/central-manager.conf"].splitlines():
        if "/growing/" in line:
            assert line.split()[-1] in words


def test_a_site_may_believe_signatures_alone_or_lists_with_another_central_manager_too():
    trusting = parse(f"{EXAMPLE}[numbers]\nbelieve_listed_tokens_only = false\n", "mlinfn.toml")
    strict = parse(ELSEWHERE.replace("[numbers]\n", "[numbers]\nbelieve_listed_tokens_only = true\n"), "mlinfn.toml")
    for site, told in ((trusting, "false"), (strict, "true")):
        assert f"LISTED_TOKENS_ONLY = {told}" in render(site)["overlay/condor/batch.conf"]


def test_hub_and_window_know_each_other_by_one_secret_and_meet_through_the_proxy(sites, tmp_path):
    objects = sites["example/overlay"]
    hub = parse_settings(rendered("example")["overlay/hub/hub.toml"], "hub.toml", HubSettings)
    file = hub.addresses.web_token_file
    for where in ("hub", "web"):
        mounts = mounted(pod(objects, where), where)
        secret = mounts[f"/etc/mlinfn/secrets/{file.parent.name}"]["secret"]["secretName"]
        assert secret == "mlinfn-window-token"
        assert mounts["/etc/mlinfn/hub"]["configMap"]["name"].startswith("mlinfn-hub")
    arguments = container(objects, "web")["args"]
    assert f"--token-file={file}" in arguments
    listening = next(word for word in arguments if word.startswith("--listen")).rpartition(":")[2]
    assert hub.addresses.web_url == f"http://web:{listening}"
    service = next(each for each in objects if each["kind"] == "Service" and each["metadata"]["name"] == "web")
    assert [each["port"] for each in service["spec"]["ports"]] == [int(listening)]
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container(objects, "web")[probe]["httpGet"]["path"] == f"/services/{window.NAME}/health"


def test_instruments_tables_are_declared_between_migrations_and_roles_and_keys_renew_themselves(sites, tmp_path):
    objects, files = sites["instruments/overlay"], rendered("instruments")
    services, rest = pod(objects, "services"), pod(objects, "rest")
    names = [each["name"] for each in services["initContainers"]]
    assert names.index("migrate") < names.index("declare") < names.index("let-roles-in")
    (declare,) = [each for each in services["initContainers"] if each["name"] == "declare"]
    folder, _, file = declare["args"][3].rpartition("/")
    mounts = mounted(services, "declare", "initContainers")
    assert mounts[folder]["configMap"]["name"].startswith("mlinfn-ingestion")
    (tmp_path / file).write_text(files[f"overlay/ingestion/{file}"])
    assert read_ingestion(tmp_path / file) == parse(INSTRUMENTS, "mlinfn.toml").ingestion
    told = next(each for each in services["containers"] if each["name"] == "schedules")["args"]
    assert "retention" in told, "rows that are too old go"
    # PostgREST reads the file that the container beside it keeps, and the one before it made.
    variables = {each["name"]: each.get("value") for each in rest["containers"][-1]["env"]} | {
        each["name"]: each.get("value") for one in rest["containers"] for each in one["env"]
    }
    keys = variables["PGRST_JWT_SECRET"].removeprefix("@")
    for within, name in (("containers", "keys"), ("initContainers", "fetch-keys")):
        (one,) = [each for each in rest[within] if each["name"] == name]
        assert one["args"][one["args"].index("--into") + 1] == keys
        assert "emptyDir" in mounted(rest, name, within)[keys.rpartition("/")[0]]
    assert "emptyDir" in mounted(rest, "postgrest")[keys.rpartition("/")[0]]
    ingress = first(objects, "Ingress", "rest")["spec"]
    assert (ingress["rules"][0]["host"], ingress["tls"][0]["secretName"]) == ("data.example.org", "mlinfn-data-tls")
    flows = {e["metadata"]["name"]: e["spec"] for e in objects if e["kind"] == "NetworkPolicy"}
    assert "edge" in str(flows["rest"]["ingress"])


def test_without_instruments_keys_are_the_sites_secret(sites):
    rest = pod(sites["elsewhere/overlay"], "rest")
    assert mounted(rest, "postgrest")["/etc/mlinfn/keys"]["secret"]["secretName"] == "mlinfn-rest"
    named = render(parse(ELSEWHERE.replace("port = 5433", 'port = 5433\nrest_keys = "mine/jwks"'), "mlinfn.toml"))
    assert "secretName: mine" in named["overlay/kustomization.yaml"]
    assert "key: jwks" in named["overlay/kustomization.yaml"]
    assert [each["name"] for each in rest["containers"]] == ["postgrest"]


def test_each_disk_that_nobody_else_can_mount_has_somebody_who_copies_it_and_brings_it_back(sites, tmp_path):
    """Whom the backup asks, and who answers, are the same; copies lie in what the backup keeps."""
    for name in ("elsewhere", "instruments"):
        objects = sites[f"{name}/overlay"]
        (tmp_path / "storage.toml").write_text(rendered(name)["overlay/storage/storage.toml"])
        storage, backup = of_site(tmp_path / "storage.toml")
        pods = {each for each, spec, _ in policies.pods(objects) if "copies" in {c["name"] for c in spec["containers"]}}
        assert set(backup.copies.names) == pods
        assert pods == {"hub", "interactive", "batch"} | ({"central-manager"} if name == "instruments" else set())
        assert backup.copies.folder.is_relative_to(backup.folders["shared"])
        of_homes = str(backup.copies.folder.relative_to(storage.root))
        asks = mounted(pod(objects, "services"), "backup")[str(backup.copies.folder)]
        assert asks["of"] == of_homes
        for each in pods:
            claims = first(objects, "StatefulSet", each)["spec"]["volumeClaimTemplates"]
            for within, inner in (("containers", "copies"), ("initContainers", "bring-back")):
                (one,) = [c for c in pod(objects, each)[within] if c["name"] == inner]
                mounts = {mount["mountPath"]: mount for mount in one["volumeMounts"]}
                words = [word for word in one["args"] if not word.startswith("-")]
                assert words[-1] == each
                told = dict(word.removeprefix("--").split("=", 1) for word in one["args"] if "=" in word)
                assert mounts[told["folder"]]["subPath"] == of_homes
                disk = mounts[told["disk"].split("=")[1]]
                assert disk["name"] in {claim["metadata"]["name"] for claim in claims}
                assert disk.get("readOnly", False) is (inner == "copies")
                assert ("--bring-back" in one["args"]) is (inner == "bring-back")


def test_a_restore_has_the_database_and_one_job_and_nothing_that_would_write_meanwhile(sites):
    assert not any(path.startswith("overlay-restore") for path in rendered("example"))
    for name in ("elsewhere", "instruments"):
        objects = sites[f"{name}/overlay-restore"]
        up = {
            e["metadata"]["name"] for e in objects if e["kind"] in policies.WORKLOADS and e["spec"].get("replicas", 1)
        }
        assert up == {"restore"} | ({"database"} if name == "instruments" else set())
        mounts = mounted(pod(objects, "restore"), "restore")
        for path, each in mounted(pod(sites[f"{name}/overlay"], "services"), "backup").items():
            if "secrets" in path or path == "/etc/mlinfn/storage":
                assert mounts[path] == each, "the same settings and secrets, under the same names"
        flow = first(objects, "NetworkPolicy", "restore")["spec"]["egress"][1]["ports"]
        assert [port["port"] for port in flow] == ([9000, 5433] if name == "elsewhere" else [443])


def test_who_says_no_container_means_the_daemon(sites):
    """`kubectl exec` takes the first one otherwise, and what a component adds comes first."""
    for objects in sites.values():
        for each in (each for each in objects if each["kind"] in policies.WORKLOADS):
            template = each["spec"]["template"]
            if len(template["spec"]["containers"]) > 1:
                meant = template["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"]
                assert meant in {one["name"] for one in template["spec"]["containers"]}


def test_a_sites_choices_reach_its_manifests(sites):
    objects = sites["elsewhere/overlay"]
    assert "elsewhere/overlay-files" not in sites
    assert {e["metadata"]["namespace"] for e in objects if e["kind"] in policies.WORKLOADS} == {"ai"}
    names = {(e["kind"], e["metadata"]["name"]) for e in objects}
    assert not {("StatefulSet", "database"), ("StatefulSet", "central-manager")} & names
    assert ("Deployment", "rest") in names
    hub, batch = (first(objects, "StatefulSet", name)["spec"] for name in ("hub", "batch"))
    (schedd,) = [each for each in pod(objects, "batch")["containers"] if each["name"] == "schedd"]
    assert hub["template"]["spec"]["nodeSelector"] == {"role": "platform"}
    assert hub["template"]["spec"]["imagePullSecrets"] == [{"name": "registry"}]
    assert batch["volumeClaimTemplates"][0]["spec"]["storageClassName"] == "fast"
    assert schedd["image"] == f"registry.example.org/mlinfn/platform@{DIGEST}"
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
