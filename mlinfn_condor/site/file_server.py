"""The overlay of the rendered NFS server: pure."""

from typing import Any

from mlinfn_condor.site.images import image, split
from mlinfn_condor.site.overlay import Object, patch, yaml_text
from mlinfn_condor.site.settings import Site

_GANESHA = """\
# Written by `mlinfn config render`. NFS version 4 alone: one port, and locks that survive a restart of the server.
NFS_CORE_PARAM {{
    Protocols = 4;
    NFS_Port = 2049;
    Enable_NLM = false;
    Enable_RQUOTA = false;
}}
NFSv4 {{
    Graceless = false;
    Lease_Lifetime = 30;
    Grace_Period = 45;
}}
EXPORT {{
    Export_Id = 1;
    Path = /export/homes;
    Pseudo = {path};
    Access_Type = RW;
    # Hub and access points are root and act for users; who may call at all is the network policy's to say.
    Squash = No_Root_Squash;
    SecType = sys;
    FSAL {{ Name = VFS; }}
}}
"""


def files(site: Site) -> dict[str, str]:
    """By path below the overlay of the server."""
    server = site.storage.server
    if server is None:
        return {}
    namespace = f"{site.kubernetes.namespace}-files"
    disk = "/spec/volumeClaimTemplates"
    changes: list[tuple[str, str, Any]] = [("replace", f"{disk}/0/spec/resources/requests/storage", server.size)]
    if site.kubernetes.storage_class:
        changes += [("add", f"{disk}/{at}/spec/storageClassName", site.kubernetes.storage_class) for at in (0, 1)]
    if site.kubernetes.images.pull_secret:
        pull = [{"name": site.kubernetes.images.pull_secret}]
        changes.append(("add", "/spec/template/spec/imagePullSecrets", pull))
    machines = [{"ipBlock": {"cidr": network}} for network in server.machines]
    kustomization: Object = {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "namespace": namespace,
        "labels": [{"pairs": {"mlinfn.infn.it/site": site.name}, "includeSelectors": False}],
        "resources": ["../files"],
        "images": [{"name": "mlinfn/files", **split(image(site, "files"))}],
        "configMapGenerator": [{"name": "mlinfn-files", "files": ["ganesha.conf"]}],
        "patches": [
            patch("Namespace", None, [("replace", "/metadata/name", namespace)]),
            patch("Service", "files", [("replace", "/spec/clusterIP", server.address)]),
            patch("StatefulSet", "files", changes),
            patch("NetworkPolicy", "files", [("replace", "/spec/ingress/0/from", machines)]),
        ],
    }
    return {
        "kustomization.yaml": yaml_text(kustomization),
        "ganesha.conf": _GANESHA.format(path=site.storage.export.export),
    }
