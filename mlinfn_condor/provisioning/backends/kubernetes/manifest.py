"""The pod of a glidein: a template of the site's, filled in. Pure."""

from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.kube import Json
from mlinfn_condor.provisioning.backends.kubernetes.labels import labels
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite
from mlinfn_condor.provisioning.nodes import NodeKind

CONTAINER = "glidein"
"""The container of the template that runs the entrypoint; a pod of one container needs no name."""
STAY = {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false", "karpenter.sh/do-not-disrupt": "true"}
"""For autoscalers: do not empty a machine on which a glidein runs. It leaves by itself when it is idle."""


def read_template(path: Path) -> Json:
    """The pod in a file. Raises BadRequest with what is wrong about it."""
    try:
        found = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError) as error:
        raise BadRequest(f"{path} is no pod manifest: {error}") from error
    if not isinstance(found, dict) or found.get("kind") != "Pod":
        raise BadRequest(f"{path} is no pod manifest: it has to be one object of kind Pod")
    containers = (found.get("spec") or {}).get("containers")
    if not isinstance(containers, list) or not containers:
        raise BadRequest(f"{path}: spec.containers: the container of the glidein is missing")
    if len(containers) > 1 and not any(each.get("name") == CONTAINER for each in containers):
        raise BadRequest(f"{path}: spec.containers: call the glidein's container {CONTAINER!r}")
    return found


def fill(template: Json, name: str, kind: NodeKind, site: KubernetesSite, *, warm: bool = False) -> Json:
    """The pod of one glidein. Raises NodeRefused for devices whose name in Kubernetes nobody knows."""
    pod = deepcopy(template)
    meta, spec = pod.setdefault("metadata", {}), pod["spec"]
    meta["name"] = name
    meta.pop("namespace", None)  # the provisioner's own, and no other
    meta["labels"] = (meta.get("labels") or {}) | labels(site.pool, kind, warm=warm)
    meta["annotations"] = STAY | (meta.get("annotations") or {})
    spec["restartPolicy"] = "Never"  # what ended is for the plan to replace, or not
    if wanted := site.node_selector.get("*", {}) | site.node_selector.get(kind.name, {}):
        spec["nodeSelector"] = wanted
    if site.tolerations:
        spec["tolerations"] = (spec.get("tolerations") or []) + deepcopy(site.tolerations)
    if priority := site.priority_class if kind.pledged else site.opportunistic_priority_class:
        spec["priorityClassName"] = priority
    container = next((each for each in spec["containers"] if each.get("name") == CONTAINER), spec["containers"][0])
    if site.image:
        container["image"] = site.image
    container["env"] = _environment(container.get("env") or [], name, kind, warm=warm)
    container["resources"] = _resources(container.get("resources") or {}, kind, site)
    return pod


def _resources(own: Json, kind: NodeKind, site: KubernetesSite) -> Json:
    """Requests and limits alike: a node of this size, of which nobody else gets a part.

    Of the template's, what bears a vendor's name (`nvidia.com/gpu`) goes: devices are the kind's to say.
    """
    size = {"cpu": str(kind.cpus), "memory": f"{kind.memory_mb}Mi"}
    if kind.devices:
        size[site.resource(kind)] = str(kind.devices)
    kept = {
        part: {name: count for name, count in (own.get(part) or {}).items() if "/" not in name}
        for part in ("requests", "limits")
    }
    return own | {part: others | size for part, others in kept.items()}


def _environment(own: list[Any], name: str, kind: NodeKind, *, warm: bool) -> list[Json]:
    """What the entrypoint is told (docs/glidein.md), over what the template says of the same."""
    told: dict[str, Json] = {
        "NAME": {"value": name},
        "KIND": {"value": kind.name},
        "OWNER_PROJECT": {"value": kind.owner_project},
        "DEVICES": {"value": f"{kind.model}:{kind.devices}" if kind.devices else "none"},
        "WARM": {"value": str(warm).lower()},
        "UID": _field("metadata.uid"),
        "POD": _field("metadata.name"),
        "NODE": _field("spec.nodeName"),
    }
    ours = [{"name": f"MLINFN_GLIDEIN_{key}"} | value for key, value in told.items()]
    names = {each["name"] for each in ours}
    return [each for each in own if each.get("name") not in names] + ours


def _field(path: str) -> Json:
    return {"valueFrom": {"fieldRef": {"fieldPath": path}}}
