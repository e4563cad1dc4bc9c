"""A site's overlay over kubernetes/base: which components, which images, which patches. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

import yaml

from mlinfn_condor.site.addresses import database
from mlinfn_condor.site.images import PRODUCT, image, split
from mlinfn_condor.site.references import key_of, secret_of
from mlinfn_condor.site.sections import Backup
from mlinfn_condor.site.settings import Site

Object = dict[str, Any]
_HEAD = "# Written by `mlinfn config render`: changes are lost, change the site's file instead.\n"
_CLAIMS = {"interactive": ("spool",), "batch": ("spool",), "hub": ("hub",)}
"""Disks of the platform's sets, in the order of their volumeClaimTemplates."""


class _Readable(yaml.SafeDumper):  # type: ignore[misc]  # it has no types
    """Texts of several lines as such."""


def _text(dumper: yaml.SafeDumper, text: str) -> Any:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Readable.add_representer(str, _text)


def yaml_text(*objects: Object) -> str:
    """A file of these objects."""
    text: str = yaml.dump_all(objects, Dumper=_Readable, sort_keys=False, width=120, allow_unicode=True)
    return _HEAD + text


def kustomization(site: Site, generated: Mapping[str, Mapping[str, str]]) -> Object:
    """The overlay's own file. `generated`: ConfigMap → key → file below the overlay."""
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": site.kubernetes.namespace,
        "labels": [{"pairs": {"mlinfn.infn.it/site": site.name}, "includeSelectors": False}],
        "resources": ["../base", "homes.yaml"],
        "components": [f"../components/{name}" for name in components(site)],
        "images": [{"name": name, **split(image)} for name, image in sorted(images(site).items())],
        "configMapGenerator": [_config_map(name, keys) for name, keys in sorted(generated.items())]
        + [{"name": "mlinfn-database", "literals": [f"{k}={v}" for k, v in database(site).items()]}],
        "patches": list(patches(site)),
    }


def components(site: Site) -> list[str]:
    """What of the platform is rendered, and what the site has elsewhere."""
    chosen = ["external-central-manager" if site.external.central_manager else "central-manager"]
    chosen.append("external-database" if site.database.host else "database")
    if site.offers_rest:
        chosen += ["rest", "ingestion" if site.ingestion else "rest-keys"]
        if site.hosts.data and site.kubernetes.ingress_class:
            chosen.append("rest-ingress")
    if site.kubernetes.ingress_class:
        chosen.append("ingress")
    if site.backup:
        chosen.append("backup")
        if not site.external.central_manager:
            chosen.append("backup-central-manager")
    return chosen


def images(site: Site) -> dict[str, str]:
    """Name in the manifests → image."""
    return {f"mlinfn/{name}": image(site, name) for name in PRODUCT if name not in ("glidein", "files")} | {
        "postgresql": site.kubernetes.images.postgresql,
        **({"postgrest": site.kubernetes.images.postgrest} if site.offers_rest else {}),
    }


def homes(site: Site) -> Iterator[Object]:
    """The volume of the homes and the claim to it; a volume is the cluster's, so it bears the namespace in its name."""
    volume = f"mlinfn-homes-{site.kubernetes.namespace}"
    export, capacity = site.storage.export, {"storage": site.storage.size}
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": volume},
        "spec": {
            "capacity": capacity,
            "accessModes": ["ReadWriteMany"],
            "persistentVolumeReclaimPolicy": "Retain",
            "storageClassName": "",
            "mountOptions": export.options.split(","),
            "nfs": {"server": export.server, "path": export.export},
        },
    }
    yield {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "homes"},
        "spec": {
            "accessModes": ["ReadWriteMany"],
            "storageClassName": "",
            "volumeName": volume,
            "resources": {"requests": capacity},
        },
    }


def patches(site: Site) -> Iterator[Object]:
    """What differs from the base."""
    cluster = site.kubernetes
    yield patch("Namespace", None, [("replace", "/metadata/name", cluster.namespace)])
    yield from _disks(site)
    for kind in ("StatefulSet", "Deployment"):
        changes: list[tuple[str, str, Any]] = []
        if cluster.platform_nodes:
            changes.append(("add", "/spec/template/spec/nodeSelector", cluster.platform_nodes))
        if cluster.images.pull_secret:
            changes.append(("add", "/spec/template/spec/imagePullSecrets", [{"name": cluster.images.pull_secret}]))
        if changes:
            yield patch(kind, None, changes)
    yield _numbers(site)
    if site.identity.openid and site.identity.openid.client_secret:
        yield _hub_reads(secret_of(site.identity.openid.client_secret))
    if site.offers_rest and not site.ingestion:
        yield _rest_reads(site.database.rest_keys)
    if site.backup:
        yield from _backs_up(site, site.backup)
    yield from _flows(site)
    if cluster.ingress_class:
        yield _ingress("proxy", site.hosts.public, cluster.ingress_class, cluster.tls_secret)
        if site.offers_rest and site.hosts.data:
            yield _ingress("rest", site.hosts.data, cluster.ingress_class, cluster.data_tls_secret)
            if site.ingestion:
                largest = "/metadata/annotations/nginx.ingress.kubernetes.io~1proxy-body-size"
                yield patch("Ingress", "rest", [("replace", largest, f"{site.ingestion.most_mb}m")])


def _ingress(name: str, address: str, ingress_class: str, tls_secret: str | None) -> Object:
    host = urlsplit(address).hostname
    changes: list[tuple[str, str, Any]] = [
        ("replace", "/spec/ingressClassName", ingress_class),
        ("replace", "/spec/rules/0/host", host),
    ]
    tls = [{"hosts": [host], "secretName": tls_secret}]
    changes.append(("replace", "/spec/tls", tls) if tls_secret else ("remove", "/spec/tls", None))
    return patch("Ingress", name, changes)


def _disks(site: Site) -> Iterator[Object]:
    sets = dict(_CLAIMS)
    if not site.external.central_manager:
        sets["central-manager"] = ("spool",)
    if not site.database.host:
        sets["database"] = ("data",)
        yield patch(
            "StatefulSet", "database", [("replace", f"{_claim(0)}/resources/requests/storage", site.database.size)]
        )
        if site.database.name != "mlinfn":
            container = "/spec/template/spec/containers/0"
            yield patch("StatefulSet", "database", [("replace", f"{container}/env/1/value", site.database.name)])
    if site.kubernetes.storage_class:
        for name, claims in sets.items():
            changes = [
                ("add", f"{_claim(at)}/storageClassName", site.kubernetes.storage_class) for at in range(len(claims))
            ]
            yield patch("StatefulSet", name, changes)
        changes = [("add", "/spec/storageClassName", site.kubernetes.storage_class)]
        yield patch("PersistentVolumeClaim", "hub-certificates", changes)


def _claim(at: int) -> str:
    return f"/spec/volumeClaimTemplates/{at}/spec"


def _numbers(site: Site) -> Object:
    """Which numbers people and projects get."""
    told = site.identity
    words = [str(told.first_number), str(told.last_number), "--keep-days", str(told.keep_days)]
    changes = [("replace", "/spec/template/spec/initContainers/1/args", ["mlinfn", "identity", "range", *words])]
    return patch("Deployment", "services", changes)


def _rest_reads(keys: str) -> Object:
    """Whose tokens PostgREST believes."""
    volume = {"secretName": secret_of(keys), "defaultMode": 0o440, "items": [{"key": key_of(keys), "path": "keys"}]}
    return merged("Deployment", "rest", {"volumes": [{"name": "keys", "secret": volume}]})


def _hub_reads(secret: str) -> Object:
    """The identity provider's secret."""
    volume = {"name": "openid", "secret": {"secretName": secret, "defaultMode": 0o400}}
    mount = {"name": "openid", "mountPath": "/etc/mlinfn/secrets/openid", "readOnly": True}
    return merged("StatefulSet", "hub", {"volumes": [volume], "containers": [{"name": "hub", "volumeMounts": [mount]}]})


def backup_secrets(backup: Backup) -> Object:
    """The volume of them."""
    sources = [
        {"secret": {"name": secret_of(reference), "items": [{"key": key_of(reference), "path": name}]}}
        for name, reference in backup.secrets.items()
    ]
    return {"name": "backup-secrets", "projected": {"defaultMode": 0o400, "sources": sources}}


def _backs_up(site: Site, backup: Backup) -> Iterator[Object]:
    """Its secrets as files, its disk, and the way to the S3 server and from Prometheus."""
    yield patch("Deployment", "services", [("add", "/spec/template/spec/volumes/-", backup_secrets(backup))])
    disk = [("replace", "/spec/resources/requests/storage", backup.disk)]
    if site.kubernetes.storage_class:
        disk.append(("add", "/spec/storageClassName", site.kubernetes.storage_class))
    yield patch("PersistentVolumeClaim", "backup", disk)
    namespace = "/spec/ingress/0/from/0/namespaceSelector/matchLabels/kubernetes.io~1metadata.name"
    changes: list[tuple[str, str, Any]] = [("replace", namespace, site.kubernetes.metrics_namespace)]
    changes.append(("replace", "/spec/egress/0/ports/0/port", backup.port))
    yield patch("NetworkPolicy", "backup", changes)


def _flows(site: Site) -> Iterator[Object]:
    cluster = site.kubernetes
    label = "kubernetes.io~1metadata.name"
    of = f"/spec/ingress/0/from/0/namespaceSelector/matchLabels/{label}"
    yield patch("NetworkPolicy", "world-calls-the-proxy", [("replace", of, cluster.ingress_namespace)])
    yield patch("NetworkPolicy", "metrics", [("replace", of, cluster.metrics_namespace)])
    if site.offers_rest:
        yield patch("NetworkPolicy", "rest", [("replace", of, cluster.ingress_namespace)])
    if cluster.api_server != "0.0.0.0/0":
        # Repositories that schedules follow stay reachable.
        rule = {"to": [{"ipBlock": {"cidr": cluster.api_server}}], "ports": [{"protocol": "TCP", "port": 6443}]}
        changes = [("remove", "/spec/egress/2/ports/1", None), ("add", "/spec/egress/-", rule)]
        yield patch("NetworkPolicy", "services", changes)
    refused = [("add", "/spec/egress/3/to/0/ipBlock/except/-", network) for network in cluster.jobs_never_reach]
    if refused:
        yield patch("NetworkPolicy", "nodes", refused)
    if site.database.host and site.database.port != 5432:
        port = [("replace", "/spec/egress/0/ports/0/port", site.database.port)]
        yield patch("NetworkPolicy", "platform-asks-the-database", port)


def patch(kind: str, name: str | None, changes: list[tuple[str, str, Any]]) -> Object:
    """A change of one object, or of all of a kind, by JSON patch: operation, path, value."""
    target = {"kind": kind, **({"name": name} if name else {})}
    operations = [
        {"op": op, "path": path} | ({} if op == "remove" else {"value": value}) for op, path, value in changes
    ]
    return {"target": target, "patch": yaml.safe_dump(operations, sort_keys=False, width=120)}


def merged(kind: str, name: str, spec: Object) -> Object:
    """A change of a workload's pods, part by part by its name: containers have no place that stays."""
    told = {"apiVersion": "apps/v1", "kind": kind, "metadata": {"name": name}, "spec": {"template": {"spec": spec}}}
    return {"patch": yaml.safe_dump(told, sort_keys=False, width=120)}


def _config_map(name: str, keys: Mapping[str, str]) -> Object:
    generated: Object = {"name": name, "files": [f"{key}={file}" for key, file in sorted(keys.items())]}
    if name in KEEP_THEIR_NAMES:
        generated["options"] = {"disableNameSuffixHash": True}
    return generated


KEEP_THEIR_NAMES = ("mlinfn-condor", "mlinfn-glidein-site")
"""Of what HTCondor reads again when it is told to (condor_reconfig), and what nodes that come later are told by name.
All others get a new name with new content, so that their pods start anew.
"""
