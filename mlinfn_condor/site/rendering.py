"""A site as files: HTCondor configuration, settings of daemons, Kubernetes manifests. Pure but for reading what ships;
the same site and version give the same text, so that a change is reviewed as a diff.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path

from mlinfn_condor.shipped import shipped
from mlinfn_condor.site import condor, datastore, file_server, overlay, places, platform_files, restoration
from mlinfn_condor.site.settings import Site

SHIPPED = ("base", "components", "files")
"""Folders of `kubernetes/` that a rendering takes along, as they are."""


def render(site: Site) -> Mapping[str, str]:
    """By path below the output folder."""
    where = places.of(site)
    generated = {
        "mlinfn-condor": ("condor", condor.files(site, where)),
        "mlinfn-glidein-site": ("glidein", {"site.conf": condor.for_nodes(site, where)}),
        "mlinfn-hub": ("hub", platform_files.hub(site, where)),
        "mlinfn-provisioning": ("provisioning", platform_files.provisioning(site, where)),
        "mlinfn-let-roles-in": (
            "database",
            {"let-roles-in": (_kubernetes() / "database" / "let-roles-in").read_text()},
        ),
    }
    if site.backup:
        generated["mlinfn-storage"] = ("storage", platform_files.storage(site, where))
    if site.ingestion:
        generated["mlinfn-ingestion"] = ("ingestion", platform_files.ingestion(site.ingestion))
    keys = {name: {file: f"{folder}/{file}" for file in contents} for name, (folder, contents) in generated.items()}
    files = dict(_shipped())
    files |= {
        f"overlay/{folder}/{file}": text for folder, contents in generated.values() for file, text in contents.items()
    }
    files["overlay/kustomization.yaml"] = overlay.yaml_text(overlay.kustomization(site, keys))
    files["overlay/homes.yaml"] = overlay.yaml_text(*overlay.homes(site))
    files |= {f"overlay-restore/{name}": text for name, text in restoration.files(site).items()}
    if site.storage.server:
        files |= {f"overlay-files/{name}": text for name, text in file_server.files(site).items()}
    return files | {f"k3s/{name}": text for name, text in datastore.files(site).items()}


def _kubernetes() -> Path:
    return shipped("kubernetes")


def _shipped() -> Iterator[tuple[str, str]]:
    root = _kubernetes()
    for folder in SHIPPED:
        for path in sorted((root / folder).rglob("*.yaml")):
            yield str(path.relative_to(root)), path.read_text()
    # One text of the rights: the provisioner's tests hold it to what is used.
    yield "base/rights.yaml", (shipped("glidein") / "kubernetes" / "rights.yaml").read_text()
