"""A second overlay for a site that is brought back as a whole: nothing runs but the database and the restore. Pure."""

from collections.abc import Iterator
from typing import Any

from mlinfn_condor.site.images import split
from mlinfn_condor.site.overlay import Object, backup_secrets, images, patch, yaml_text
from mlinfn_condor.site.sections import Backup
from mlinfn_condor.site.settings import Site


def files(site: Site) -> dict[str, str]:
    """By name, what lies in `overlay-restore`; nothing where the site has no backups."""
    return {"kustomization.yaml": yaml_text(_kustomization(site, site.backup))} if site.backup else {}


def _kustomization(site: Site, backup: Backup) -> Object:
    platform = images(site)["mlinfn/platform"]
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": site.kubernetes.namespace,
        "resources": ["../overlay"],
        "components": ["../components/restore"],
        "images": [{"name": "mlinfn/platform", **split(platform)}],
        "patches": list(_patches(site, backup)),
    }


def _patches(site: Site, backup: Backup) -> Iterator[Object]:
    cluster = site.kubernetes
    changes: list[tuple[str, str, Any]] = [("add", "/spec/template/spec/volumes/-", backup_secrets(backup))]
    if cluster.platform_nodes:
        changes.append(("add", "/spec/template/spec/nodeSelector", dict(cluster.platform_nodes)))
    if cluster.images.pull_secret:
        changes.append(("add", "/spec/template/spec/imagePullSecrets", [{"name": cluster.images.pull_secret}]))
    yield patch("Job", "restore", changes)
    ports = [backup.port, *([site.database.port] if site.database.host else [])]
    world = [{"protocol": "TCP", "port": port} for port in dict.fromkeys(ports)]
    yield patch("NetworkPolicy", "restore", [("replace", "/spec/egress/1/ports", world)])
