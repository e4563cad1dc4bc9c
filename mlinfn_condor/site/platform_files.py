"""Settings of hub and provisioner as files in their pods: pure."""

from collections.abc import Mapping
from typing import Any

import tomli_w
import yaml

from mlinfn_condor.backup.settings import BackupPlan
from mlinfn_condor.ingestion.settings import Ingestion
from mlinfn_condor.shipped import shipped
from mlinfn_condor.site import addresses
from mlinfn_condor.site.images import image
from mlinfn_condor.site.places import CONDOR_GROUP, CONDOR_PORT, Places
from mlinfn_condor.site.references import key_of
from mlinfn_condor.site.settings import Site

NODE, OPPORTUNISTIC = "mlinfn-node", "mlinfn-node-opportunistic"
"""Priority classes, kubernetes/base/priorities.yaml."""
_HEAD = "# Written by `mlinfn config render`: changes are lost, change the site's file instead.\n"
_BEYOND_A_START = 300
"""Seconds that a session may wait in the queue beyond the longest start of a node."""

_JUPYTERHUB = """\
from pathlib import Path

from mlinfn_condor.hub.configuration import configure

c = get_config()  # noqa: F821 - JupyterHub's own
configure(c, Path("{etc}/hub/hub.toml"))
# The Service `hub` leads here; its address is none that can be listened on.
c.JupyterHub.hub_bind_url = "https://:8081"
c.ConfigurableHTTPProxy.auth_token = Path("{secrets}/proxy/token").read_text().strip()
"""


def hub(site: Site, places: Places) -> Mapping[str, str]:
    """By name, what lies in `etc/hub`."""
    return {
        "hub.toml": _HEAD + tomli_w.dumps(hub_settings(site, places)),
        "jupyterhub_config.py": _HEAD + _JUPYTERHUB.format(etc=places.etc, secrets=places.secrets),
    }


def hub_settings(site: Site, places: Places) -> dict[str, Any]:
    """As `mlinfn_condor.hub.settings.HubSettings` reads them."""
    accounts: dict[str, Any] = {
        "pool_token_directory": str(places.secrets / "administrator-token"),
        "members": site.identity.members,
        "identity": {"database": addresses.of_role(site.database, "identity"), "folder": str(places.people)},
    }
    if provider := site.identity.openid:
        accounts["openid"] = provider.model_dump(mode="json", exclude_none=True, exclude={"client_secret"})
        if provider.client_secret:
            accounts["openid"]["client_secret_file"] = str(places.secrets / "openid" / key_of(provider.client_secret))
    longest = site.provisioning.intervals.start_seconds + _BEYOND_A_START
    return {
        "name": site.name,
        "folder": str(places.lib / "hub"),
        "addresses": {
            "public": site.hosts.public.rstrip("/"),
            "hub": "http://hub:8081",
            "proxy_api": "http://proxy:8001",
            "web": "http://web:8010",
            "web_token_file": str(places.secrets / "window" / "token"),
        },
        "sessions": {
            "homes": f"{site.storage.root}/homes/{{username}}",
            "own_accounts": True,
            "queue_timeout_seconds": int(longest),
            "prospects_file": str(places.provisioning / "prospects.json"),
            "owners_displace_sessions": bool(site.numbers.get("owner_displaces_sessions", True)),
            "environment": {
                "CONDOR_CONFIG": f"{places.etc}/condor/condor_config",
                "MLINFN_ROLE": "client",
                # With it a plain HTCondorCluster() asks for what this pool wants to know.
                "DASK_CONFIG": f"{places.policy.parent}/submit_templates/dask-jobqueue.yaml",
            },
        },
        "tokens": {
            "key_file": str(places.secrets / "session-key" / "sessions"),
            "trust_domain": site.hosts.domain,
        },
        "membership": {
            "map_file": str(places.shared / "projects.map"),
            "projects": site.pool.projects,
            "daemons_group": CONDOR_GROUP,
        },
        "accounts": accounts,
        "storage": site.storage.told,
        "limits": site.hub.limits.model_dump(mode="json", exclude_none=True),
        "culling": site.hub.culling.model_dump(mode="json", exclude_none=True),
    }


def storage(site: Site, places: Places) -> Mapping[str, str]:
    """By name, what lies in `etc/storage`: what is backed up, where to, and under which name."""
    told = {"storage": site.storage.told, "backup": backup_settings(site, places)}
    return {"storage.toml": _HEAD + tomli_w.dumps(told), "name": site.name}


def backup_settings(site: Site, places: Places) -> dict[str, Any]:
    """As `mlinfn_condor.backup.settings.BackupSettings` reads them; nothing where the site has no backups."""
    if site.backup is None:
        return {}
    plan = site.backup.model_dump(mode="json", exclude_none=True, include=set(BackupPlan.model_fields))
    files = {f"{name}_file": str(places.secrets / "backup" / name) for name in site.backup.secrets}
    shared = f"{site.storage.root}/.mlinfn"
    names = ["interactive", "batch", "hub", *(["central-manager"] if not site.external.central_manager else [])]
    return plan | files | {"folders": {"shared": shared}, "copies": {"folder": f"{shared}/copies", "names": names}}


def ingestion(section: Ingestion) -> Mapping[str, str]:
    """By name, what lies in `etc/ingestion`: as `mlinfn ingest` reads it."""
    told = {"ingestion": section.model_dump(mode="json", exclude_none=True)}
    return {"ingestion.toml": _HEAD + tomli_w.dumps(told)}


def provisioning(site: Site, places: Places) -> Mapping[str, str]:
    """By name, what lies in `etc/provisioning`."""
    return {
        "provisioning.toml": _HEAD + tomli_w.dumps(provisioning_settings(site, places)),
        "pod.yaml": _HEAD + yaml.safe_dump(pod(site, places), sort_keys=False, width=120),
    }


def provisioning_settings(site: Site, places: Places) -> dict[str, Any]:
    """As `mlinfn_condor.provisioning.settings.Settings` reads them."""
    cluster, kinds = site.kubernetes, site.provisioning.kinds
    selectors = {name: cluster.gpu_nodes[kind.model] for name, kind in kinds.items() if kind.model in cluster.gpu_nodes}
    return {
        "backend": "kubernetes",
        "folder": str(places.provisioning),
        "collector": places.collector,
        "kubernetes": {
            "pool": site.name,
            "namespace": cluster.namespace,
            "template": f"{places.etc}/provisioning/pod.yaml",
            "image": image(site, "glidein"),
            "resources": cluster.resources,
            "node_selector": selectors,
            "tolerations": cluster.tolerations,
            "priority_class": NODE,
            "opportunistic_priority_class": OPPORTUNISTIC,
        },
        **site.provisioning.model_dump(mode="json", exclude_none=True),
    }


def pod(site: Site, places: Places) -> dict[str, Any]:
    """The template of a node: the shipped one, with this site's values. Its comments are in glidein/pod.yaml."""
    template: dict[str, Any] = yaml.safe_load((shipped("glidein") / "pod.yaml").read_text())
    spec = template["spec"]
    (container,) = spec["containers"]
    grace = site.kubernetes.grace_seconds
    told = {
        "SITE": site.name,
        "COLLECTOR": places.collector,
        "DOMAIN": site.hosts.domain,
        "GRACE_SECONDS": str(grace),
    }
    for variable in container["env"]:
        if (name := variable["name"].removeprefix("MLINFN_GLIDEIN_")) in told:
            variable["value"] = told[name]
    # Windows of contracts are reckoned by the node's clock.
    container["env"].append({"name": "TZ", "value": site.hosts.zone})
    spec["terminationGracePeriodSeconds"] = grace
    if site.kubernetes.runtime_class:
        spec["runtimeClassName"] = site.kubernetes.runtime_class
    container["image"] = image(site, "glidein")
    container["ports"] = [{"name": "startd", "containerPort": CONDOR_PORT}]
    # Devices, machines and taints are a kind's own; the provisioner fills them in.
    spec.pop("nodeSelector")
    spec.pop("tolerations")
    for part in ("requests", "limits"):
        container["resources"][part].pop("nvidia.com/gpu")
    spec["volumes"] = [volume for volume in spec["volumes"] if volume["name"] not in ("homes", "users")] + [
        {"name": "homes", "persistentVolumeClaim": {"claimName": "homes"}},
        {"name": "condor", "configMap": {"name": "mlinfn-condor"}},
    ]
    for mount in container["volumeMounts"]:
        if mount["name"] == "homes":
            mount["mountPath"] = str(site.storage.root)
        elif mount["name"] == "users":  # the register's, from where the hub keeps them
            mount |= {"name": "homes", "subPath": f".mlinfn/{places.people.name}"}
    # Programs in sessions and jobs find the pool by it.
    container["volumeMounts"].append({"name": "condor", "mountPath": f"{places.etc}/condor", "readOnly": True})
    if site.kubernetes.seccomp_user_images:
        profile = {"type": "Localhost", "localhostProfile": "seccomp-user-images.json"}
        spec["securityContext"]["seccompProfile"] = profile
    if site.kubernetes.images.pull_secret:
        spec["imagePullSecrets"] = [{"name": site.kubernetes.images.pull_secret}]
    return template
