"""The image and the pod of a glidein, without a container engine and without a cluster: what can be read off the files.

Kubernetes' own schemas, strict: a misspelt field is a mistake. What only a cluster shows: docs/operations.md.
"""

import json
import re

import kubernetes_validate
import pytest
import yaml

from mlinfn_condor.glidein import orders
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.provisioning.backends.kubernetes.manifest import fill
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.shipped import shipped

GLIDEIN = shipped("glidein")
CONTAINERFILE = (GLIDEIN / "Containerfile").read_text()
POD = yaml.safe_load((GLIDEIN / "pod.yaml").read_text())
SPEC, (CONTAINER,) = POD["spec"], POD["spec"]["containers"]
NUMBERS = shipped("condor_config.d") / "00-state-the-numbers.conf"
GLIDEIN_NUMBERS = GLIDEIN / "config.d/00-state-the-numbers-of-glideins.conf"

SUPPORTED = ["1.33", "1.34", "1.35", "1.36", "1.37"]
"""Versions of Kubernetes whose schemas the pod has to fit."""
BASELINE_CAPABILITIES = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
"""What the pod security standard `baseline` lets a container add."""


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", CONTAINERFILE, flags=re.MULTILINE).replace("\\\n", " ")
    return [tuple(line.split(maxsplit=1)) for line in text.splitlines() if line.strip()]


def told() -> dict[str, str]:
    return {entry["name"]: entry.get("value", "") for entry in CONTAINER["env"]}


def number(file, name: str) -> int:
    return int(re.search(rf"^{name} = (\d+)$", file.read_text(), re.MULTILINE)[1])


def test_the_base_is_named_with_its_digest_or_not_built():
    assert {value for name, value in instructions() if name == "FROM"} == {"${BASE} AS wheel", "${BASE}"}
    assert ("ARG", "BASE") in instructions()
    assert not any(name == "ARG" and value.startswith("BASE=") for name, value in instructions())
    assert "*@sha256:*" in CONTAINERFILE


def test_no_image_floats():
    assert ":latest" not in CONTAINERFILE
    image = CONTAINER["image"]
    assert re.search(r":\d+\.\d+\.\d+$", image), image


def test_htcondor_apptainer_and_every_python_package_are_pinned():
    assert '"condor=${HTCONDOR}" "apptainer=${APPTAINER}"' in CONTAINERFILE
    lines = (GLIDEIN / "requirements.txt").read_text().splitlines()
    wanted = [line for line in lines if line.strip() and not line.startswith("#")]
    assert len(wanted) > 50
    assert [line for line in wanted if not re.match(r"^[a-z0-9][a-z0-9._-]*==[^ ]+( ; .+)?$", line)] == []


def test_the_image_holds_no_secret_and_names_no_site():
    assert not re.search(
        r"(?i)(password|passwd=|secret|private.key|BEGIN |eyJ[A-Za-z0-9])", CONTAINERFILE.partition("ARG")[2]
    )
    assert [value for name, value in instructions() if name == "ENV"] == ["MLINFN_PYTHON=/opt/mlinfn/bin/python"]
    assert [value for name, value in instructions() if name == "ADD"] == []


def test_the_entrypoint_is_the_one_that_the_tests_run():
    assert ("COPY", "glidein/entrypoint /usr/local/bin/mlinfn-glidein") in instructions()
    assert ("ENTRYPOINT", '["/usr/local/bin/mlinfn-glidein"]') in instructions()
    assert ("STOPSIGNAL", "SIGTERM") in instructions()


@pytest.mark.parametrize("version", SUPPORTED)
def test_the_pod_fits_the_schema_of(version):
    kubernetes_validate.validate(POD, version, strict=True)


def test_a_misspelt_field_would_be_noticed():
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**POD, "spec": {**SPEC, "terminationGracePeriod": 1}}, SUPPORTED[-1], strict=True)


def test_the_pods_grace_and_the_pools_windows_agree():
    grace = number(NUMBERS, "MLINFN_VACATE_SECONDS_CAP") + number(GLIDEIN_NUMBERS, "MLINFN_GLIDEIN_GOODBYE_SECONDS")
    assert SPEC["terminationGracePeriodSeconds"] == grace
    assert told()["MLINFN_GLIDEIN_GRACE_SECONDS"] == str(grace)


def test_the_entrypoint_understands_what_the_pod_tells_it(tmp_path):
    here = {"MLINFN_GLIDEIN_TOKENS": str(tmp_path), "MLINFN_GLIDEIN_SITE_CONFIG": str(GLIDEIN / "pod.yaml")}
    from_cluster = {name: "10.0.0.1" for name, value in told().items() if not value}
    read = orders.read(told() | from_cluster | here)
    assert (read.kind, read.devices) == ("t4", {"T4": 1})
    assert CONTAINER["resources"]["limits"]["nvidia.com/gpu"] == "1"


@pytest.mark.parametrize(
    ("kind", "devices"),
    [(NodeKind("a100", 16, 65536, DeviceKind.GPU, "A100", 2, "hep"), {"A100": 2}), (NodeKind("cpu", 8, 16384), {})],
)
@pytest.mark.parametrize("version", [SUPPORTED[0], SUPPORTED[-1]])
def test_filled_in_by_the_provisioner_it_is_valid_and_understood(tmp_path, kind, devices, version):
    pod = fill(POD, "a100-7", kind, KubernetesSite(pool="ai"))
    kubernetes_validate.validate(pod, version, strict=True)
    told = {entry["name"]: entry.get("value") or "x" for entry in pod["spec"]["containers"][0]["env"]}
    here = {"MLINFN_GLIDEIN_TOKENS": str(tmp_path), "MLINFN_GLIDEIN_SITE_CONFIG": str(GLIDEIN / "pod.yaml")}
    assert orders.read(told | here).devices == devices


def test_the_pod_fits_the_pod_security_standard_baseline():
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        assert not SPEC.get(name)
    assert not any("hostPath" in volume for volume in SPEC["volumes"])
    assert SPEC["securityContext"]["seccompProfile"]["type"] in ("RuntimeDefault", "Localhost")
    context = CONTAINER["securityContext"]
    assert context["privileged"] is False
    assert set(context["capabilities"]["add"]) <= BASELINE_CAPABILITIES
    assert "procMount" not in context
    assert not any("hostPort" in port for port in CONTAINER.get("ports", []))
    assert not SPEC["securityContext"].get("sysctls")


def test_the_pod_has_no_capability_beyond_those_with_a_reason():
    assert CONTAINER["securityContext"]["capabilities"]["drop"] == ["ALL"]
    text = (GLIDEIN / "pod.yaml").read_text()
    for name in CONTAINER["securityContext"]["capabilities"]["add"]:
        assert re.search(rf"- {name} # \w+", text), name
    assert CONTAINER["securityContext"]["allowPrivilegeEscalation"] is False
    assert SPEC["automountServiceAccountToken"] is False


def test_the_token_is_a_file_for_root_alone_and_no_variable():
    (token,) = (volume["secret"] for volume in SPEC["volumes"] if volume["name"] == "token")
    assert token["defaultMode"] == 0o400
    (mount,) = (mount for mount in CONTAINER["volumeMounts"] if mount["name"] == "token")
    assert mount["readOnly"] is True
    assert told()["MLINFN_GLIDEIN_TOKENS"] == mount["mountPath"]
    assert not any("secretKeyRef" in entry.get("valueFrom", {}) for entry in CONTAINER["env"])
    assert "envFrom" not in CONTAINER


def test_everything_that_is_written_has_a_volume():
    mounts = {mount["mountPath"] for mount in CONTAINER["volumeMounts"] if not mount.get("readOnly")}
    assert mounts == {"/var/lib/mlinfn", "/tmp", "/var/tmp", "/home"}
    assert told()["MLINFN_GLIDEIN_WORK"].startswith("/var/lib/mlinfn/")


def test_the_profile_for_user_images_forbids_what_no_job_needs_and_not_what_apptainer_does():
    profile = json.loads((GLIDEIN / "seccomp-user-images.json").read_text())
    refused = {name for rule in profile["syscalls"] if rule["action"] == "SCMP_ACT_ERRNO" for name in rule["names"]}
    assert not {"clone", "clone3", "unshare", "setns", "mount", "umount2", "pivot_root", "sethostname"} & refused
    assert {"bpf", "kexec_load", "init_module", "finit_module", "open_by_handle_at", "keyctl", "reboot"} <= refused
