"""What every rendered site keeps to, beyond Kubernetes' own schemas: each policy yields what breaks it."""

import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
MANIFESTS = ROOT / "kubernetes"
WORKLOADS = ("StatefulSet", "Deployment", "Job")
NODE = {"app.kubernetes.io/name": "mlinfn-glidein"}
BASELINE_CAPABILITIES = {"CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "SETGID", "SETUID"}
BEFORE_SERVICES = {f"services.{name}" for name in ("migrate", "number-people", "declare", "let-roles-in")}
NOT_MEASURED = {"files.nfs", "rest.postgrest", "restore.restore"}
"""What could not be tried here, and what has nothing to do between two restores: docs/deploy.md."""
OF_IMAGES = {"mlinfn", "psql", "pg_isready"}
Objects = list[dict[str, Any]]


def pods(objects: Objects) -> Iterator[tuple[str, dict[str, Any], dict[str, str]]]:
    for each in objects:
        if each["kind"] in WORKLOADS:
            template = each["spec"]["template"]
            yield each["metadata"]["name"], template["spec"], template["metadata"]["labels"]


def containers(objects: Objects, *, initial: bool = True) -> Iterator[tuple[str, dict[str, Any], dict[str, Any]]]:
    for name, spec, _ in pods(objects):
        for container in spec["containers"] + (spec.get("initContainers", []) if initial else []):
            yield f"{name}.{container['name']}", container, spec


def images_are_pinned(objects: Objects) -> Iterator[str]:
    for where, container, _ in containers(objects):
        image = container["image"]
        tag = image.partition("@")[0].rpartition("/")[2].partition(":")[2]
        if "@sha256:" not in image and (not tag or tag in ("latest", "unset", "stable", "main")):
            yield f"{where}: {image}"


def nobody_gains_privilege(objects: Objects) -> Iterator[str]:
    for where, container, _ in containers(objects):
        context = container.get("securityContext", {})
        if context.get("allowPrivilegeEscalation") is not False or context.get("privileged"):
            yield f"{where}: allowPrivilegeEscalation"
        if context.get("capabilities", {}).get("drop") != ["ALL"]:
            yield f"{where}: capabilities"
        if context.get("readOnlyRootFilesystem") is not True:
            yield f"{where}: writes to its image"


def root_has_a_reason(objects: Objects) -> Iterator[str]:
    """Whoever is root, or has a capability, has a comment in the shipped file that says why."""
    reasons = _reasons()
    for where, container, spec in containers(objects):
        context = spec.get("securityContext", {}) | container.get("securityContext", {})
        if not context.get("runAsUser") and where not in reasons:
            yield f"{where}: root without a reason"
        for capability in context.get("capabilities", {}).get("add", []):
            if capability not in reasons.get(where, ()):
                yield f"{where}: {capability} without a reason"
        if where.split(".")[0] != "files" and set(context["capabilities"].get("add", [])) - BASELINE_CAPABILITIES:
            yield f"{where}: beyond the pod security standard"


def _reasons() -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for path in MANIFESTS.rglob("*.yaml"):
        pod = container = ""
        lines = path.read_text().splitlines()
        for at, line in enumerate(lines):
            if match := re.match(r"  name: ([a-z-]+)$", line):
                pod = match[1]
            if match := re.match(r"        - name: ([a-z-]+)( #.*)?$", line):
                container, said = match[1], bool(match[2])
            if re.match(r"            runAsUser: 0$", line) and (lines[at - 1].strip().startswith("#") or said):
                found.setdefault(f"{pod}.{container}", set())
            if match := re.match(r"                - ([A-Z_]+) # \w+", line):
                found.setdefault(f"{pod}.{container}", set()).add(match[1])
    return found


def no_secret_is_told(objects: Objects) -> Iterator[str]:
    """Not in a variable, not in an argument, not in a ConfigMap; and no Secret is rendered at all."""
    for where, container, _ in containers(objects):
        if "envFrom" in container:
            yield f"{where}: envFrom"
        for variable in container.get("env", []):
            value = variable.get("value", "")
            if "secretKeyRef" in variable.get("valueFrom", {}):
                yield f"{where}: {variable['name']} is a secret"
            if re.search(r"PASSW|TOKEN|SECRET|KEY", variable["name"]) and value and not re.match(r"@?/", value):
                yield f"{where}: {variable['name']} is no file"
        words = [*container.get("args", []), *container.get("command", [])]
        words += [variable.get("value", "") for variable in container.get("env", [])]
        yield from (f"{where}: {word}" for word in words if _looks_secret(str(word)))
    for each in objects:
        if each["kind"] == "Secret":
            yield f"Secret {each['metadata']['name']} is rendered"
        if each["kind"] == "ConfigMap":
            yield from (
                f"{each['metadata']['name']}.{key}" for key, text in each["data"].items() if _looks_secret(text)
            )


def _looks_secret(text: str) -> bool:
    return bool(re.search(r"eyJ[A-Za-z0-9]|BEGIN [A-Z ]*PRIVATE|://[^/\s:@]+:[^/\s@]+@|(?i:--?password[= ])", text))


def resources_are_said(objects: Objects) -> Iterator[str]:
    """A CPU that nobody else wants may be used, so that is not limited; memory cannot be taken back."""
    for where, container, _ in containers(objects):
        resources = container.get("resources", {})
        if {"cpu", "memory"} - resources.get("requests", {}).keys() or "memory" not in resources.get("limits", {}):
            yield where


def requests_cover_what_was_measured(objects: Objects) -> Iterator[str]:
    measured = tomllib.loads((MANIFESTS / "measured.toml").read_text())
    for where, container, _ in containers(objects, initial=False):
        pod, name = where.split(".")
        known = measured.get(pod, {}).get(name)
        asked = container["resources"]["requests"]
        if known is None and where not in NOT_MEASURED:
            yield f"{where}: not measured"
        elif known and (_mb(asked["memory"]) < known["rss_mb"] or _milli(asked["cpu"]) < 10 * known["cpu_percent"]):
            yield f"{where}: asks for {asked}, took {known}"


def _mb(text: str) -> int:
    return int(text[:-2]) * {"Mi": 1, "Gi": 1024}[text[-2:]]


def _milli(text: str) -> int:
    return int(text[:-1]) if text.endswith("m") else 1000 * int(text)


def probes_ask_something(objects: Objects) -> Iterator[str]:
    for where, container, spec in containers(objects, initial=False):
        if spec.get("restartPolicy") == "OnFailure":
            continue  # it ends, and its exit code says how
        for name in ("startupProbe", "readinessProbe", "livenessProbe"):
            probe = container.get(name)
            if probe is None:
                yield f"{where}: no {name}"
            elif "exec" in probe:
                program = probe["exec"]["command"][0]
                file = MANIFESTS / "probes" / Path(program).name
                if program not in OF_IMAGES and not (file.is_file() and file.stat().st_mode & 0o111):
                    yield f"{where}: {name}: there is no {program}"
            elif "httpGet" not in probe:
                yield f"{where}: {name}: an open port says nothing"


def services_are_reached(objects: Objects) -> Iterator[str]:
    """Each leads to pods, at a port that they have and that some flow allows."""
    for service in (each for each in objects if each["kind"] == "Service"):
        name, selector = service["metadata"]["name"], service["spec"]["selector"]
        found = [spec for _, spec, labels in pods(objects) if selector.items() <= labels.items()]
        if not found:
            yield f"{name}: leads nowhere"
        for port in service["spec"]["ports"]:
            if not any(
                p["containerPort"] == port["port"] for s in found for c in s["containers"] for p in c.get("ports", [])
            ):
                yield f"{name}: nobody listens at {port['port']}"
            rules = [r for p in _policies(objects, selector) for r in p["spec"].get("ingress", [])]
            if not any(_port_in(port["port"], rule) for rule in rules):
                yield f"{name}: no flow leads to {port['port']}"


def _policies(objects: Objects, labels: dict[str, str]) -> Objects:
    everybody = {"podSelector": {}}
    return [
        each
        for each in objects
        if each["kind"] == "NetworkPolicy" and _selects(each["spec"].get("podSelector", everybody), labels)
    ]


def _selects(selector: dict[str, Any], labels: dict[str, str]) -> bool:
    return all(labels.get(key) == value for key, value in selector.get("matchLabels", {}).items()) and all(
        labels.get(each["key"]) in each["values"] for each in selector.get("matchExpressions", [])
    )


def _port_in(port: int, rule: dict[str, Any]) -> bool:
    return any(each["port"] <= port <= each.get("endPort", each["port"]) for each in rule.get("ports", []))


def flows_meet(objects: Objects) -> Iterator[str]:
    """What one end may send, the other may take, and the other way round."""
    known = [labels for _, _, labels in pods(objects)] + [NODE]
    for one in known:
        for other in known:
            sent = set(_allowed(objects, one, other, "egress", "to"))
            taken = set(_allowed(objects, other, one, "ingress", "from"))
            for port in sorted(sent ^ taken, key=str):
                ends = f"{one['app.kubernetes.io/name']} to {other['app.kubernetes.io/name']}"
                yield f"{ends}: {port} is {'not taken' if port in sent else 'not sent'}"


def _allowed(
    objects: Objects, mine: dict[str, str], other: dict[str, str], way: str, end: str
) -> Iterator[tuple[int, int]]:
    for policy in _policies(objects, mine):
        for rule in policy["spec"].get(way, []):
            if any("podSelector" in each and _selects(each["podSelector"], other) for each in rule.get(end, [])):
                yield from ((p["port"], p.get("endPort", p["port"])) for p in rule["ports"])


def nothing_flows_by_default(objects: Objects) -> Iterator[str]:
    closed = [p for p in objects if p["kind"] == "NetworkPolicy" and p["spec"]["podSelector"] == {}]
    if not any(set(p["spec"]["policyTypes"]) == {"Ingress", "Egress"} for p in closed):
        yield "no policy that denies"


def one_budget_each(objects: Objects) -> Iterator[str]:
    budgets = [each for each in objects if each["kind"] == "PodDisruptionBudget"]
    for labels in [labels for _, _, labels in pods(objects)] + ([NODE] if len(budgets) > 1 else []):
        count = sum(_selects(budget["spec"]["selector"], labels) for budget in budgets)
        if count != 1:
            yield f"{labels['app.kubernetes.io/name']}: {count} budgets"


def priorities_are_known(objects: Objects) -> Iterator[str]:
    values = {each["metadata"]["name"]: each["value"] for each in objects if each["kind"] == "PriorityClass"}
    order = [values.get(name, 0) for name in ("mlinfn-platform", "mlinfn-node", "mlinfn-node-opportunistic")]
    if values and not order[0] > order[1] > 0 > order[2]:
        yield f"{values}"
    for name, spec, _ in pods(objects):
        if spec.get("priorityClassName") != "mlinfn-platform":
            yield f"{name}: {spec.get('priorityClassName')}"


def the_cluster_is_asked_by_the_provisioner_alone(objects: Objects) -> Iterator[str]:
    for name, spec, _ in pods(objects):
        if spec.get("automountServiceAccountToken") is not False:
            yield f"{name}: a token of the cluster's that it does not need"
    for where, container, spec in containers(objects):
        tokens = {
            volume["name"]
            for volume in spec.get("volumes", [])
            if any("serviceAccountToken" in source for source in volume.get("projected", {}).get("sources", []))
        }
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])} & tokens
        if bool(mounted) != (where == "services.provisioner"):
            yield where


def each_reads_the_secrets_of_its_own_role(objects: Objects) -> Iterator[str]:
    """The database's owner, the pool's key and an administrator's token are for few."""
    few = {
        "owner": {*BEFORE_SERVICES, "services.backup", "restore.restore"},
        "owner-password": {*BEFORE_SERVICES, "database.postgresql"},
        "identity": {"hub.hub"},
        "rest": {"rest.keep-secrets-private", "rest.keys"},
        "mlinfn-pool-keys": {"central-manager.central-manager", "interactive.schedd", "batch.schedd"},
        "mlinfn-administrator-token": {"hub.hub", "services.provisioner"},
        "mlinfn-session-key": {"hub.hub", "web.web"},
        "mlinfn-window-token": {"hub.hub", "web.web"},
        "mlinfn-token-list": {"central-manager.central-manager", "interactive.schedd", "batch.schedd"},
    }
    for where, container, spec in containers(objects):
        mounted = {mount["name"] for mount in container.get("volumeMounts", [])}
        for secret in (volume.get("secret") for volume in spec.get("volumes", []) if volume["name"] in mounted):
            if not secret:
                continue
            whole = {"owner", "owner-password"} if secret["secretName"] == "mlinfn-database" else set()
            keys = {item["key"] for item in secret.get("items", [])} or whole
            yield from (
                f"{where}: reads {key}" for key in keys | {secret["secretName"]} if where not in few.get(key, {where})
            )


def what_is_mounted_is_there(objects: Objects) -> Iterator[str]:
    made = {each["metadata"]["name"] for each in objects if each["kind"] in ("ConfigMap", "PersistentVolumeClaim")}
    for name, spec, _ in pods(objects):
        claims = next(each for each in objects if each["kind"] in WORKLOADS and each["metadata"]["name"] == name)
        volumes = {volume["name"]: volume for volume in spec.get("volumes", [])}
        volumes |= {each["metadata"]["name"]: {} for each in claims["spec"].get("volumeClaimTemplates", [])}
        for container in spec["containers"] + spec.get("initContainers", []):
            for mount in container.get("volumeMounts", []):
                if mount["name"] not in volumes:
                    yield f"{name}.{container['name']}: no volume {mount['name']}"
        for volume in volumes.values():
            wanted = volume.get("configMap", {}).get("name") or volume.get("persistentVolumeClaim", {}).get("claimName")
            if wanted and wanted not in made and not volume.get("configMap", {}).get("optional"):
                yield f"{name}: nobody makes {wanted}"
            if "hostPath" in volume:
                yield f"{name}: reaches into its machine"


def the_standard_is_enforced(objects: Objects) -> Iterator[str]:
    for namespace in (each for each in objects if each["kind"] == "Namespace"):
        level = namespace["metadata"]["labels"].get("pod-security.kubernetes.io/enforce")
        name = namespace["metadata"]["name"]
        if level not in (("baseline", "restricted") if not name.endswith("-files") else ("privileged",)):
            yield f"{name}: {level}"
    for each in objects:
        if each["kind"] not in ("Namespace", "PersistentVolume", "PriorityClass") and each["metadata"].get(
            "namespace"
        ) not in {one["metadata"]["name"] for one in objects if one["kind"] == "Namespace"}:
            yield f"{each['kind']} {each['metadata']['name']}: in no namespace of the site's"


POLICIES: tuple[Callable[[Objects], Iterator[str]], ...] = (
    images_are_pinned,
    nobody_gains_privilege,
    root_has_a_reason,
    no_secret_is_told,
    resources_are_said,
    requests_cover_what_was_measured,
    probes_ask_something,
    services_are_reached,
    flows_meet,
    nothing_flows_by_default,
    one_budget_each,
    priorities_are_known,
    the_cluster_is_asked_by_the_provisioner_alone,
    each_reads_the_secrets_of_its_own_role,
    what_is_mounted_is_there,
    the_standard_is_enforced,
)
