"""`[kubernetes]`: the cluster that a site runs in, and what of it is the site's."""

import re
from collections.abc import Iterator
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from mlinfn_condor.contracts.settings import Model
from mlinfn_condor.provisioning.settings import Intervals, KindName, KindSettings, Limits
from mlinfn_condor.site.references import SecretName, Section
from mlinfn_condor.site.sections import Address, Network

SUPPORTED = ("1.33", "1.34", "1.35", "1.36", "1.37")
"""Versions of Kubernetes whose schemas the manifests are checked against."""
DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
_IMAGE = re.compile(
    rf"(?P<name>[a-z0-9][a-z0-9._:/-]*?)(?::(?P<tag>{_TAG.pattern}))?(?:@(?P<digest>sha256:[0-9a-f]{{64}}))?"
)
MOVING = ("latest", "stable", "main", "master", "edge", "nightly")


def _stays(tag: str) -> str:
    if not _TAG.fullmatch(tag) or tag in MOVING:
        raise ValueError(f"{tag!r} may be another image tomorrow: name a version, and its digest in digests")
    return tag


def _is_pinned(image: str) -> str:
    parts = _IMAGE.fullmatch(image)
    if not parts or not (parts["tag"] or parts["digest"]):
        raise ValueError(f"{image!r} names no version: write NAME:VERSION, better NAME:VERSION@sha256:…")
    if parts["tag"]:
        _stays(parts["tag"])
    return image


def _is_digest(text: str) -> str:
    if not DIGEST.fullmatch(text):
        raise ValueError("a digest is sha256: and 64 hexadecimal digits, as `skopeo inspect` or a push prints it")
    return text


Tag = Annotated[str, AfterValidator(_stays)]
Pinned = Annotated[str, AfterValidator(_is_pinned)]
Digest = Annotated[str, AfterValidator(_is_digest)]
Labels = dict[str, str]


class Images(Section):
    """`[kubernetes.images]`: which images run. A digest is what cannot move; a version is what can be read."""

    registry: str = Field(pattern=r"^[a-z0-9][a-z0-9.:/-]*[a-z0-9]$")
    """Where the product's images lie: `registry.example.org/mlinfn`."""
    version: Tag
    """Of the product's images: `platform`, `hub`, `glidein`, `files`."""
    digests: dict[Literal["platform", "hub", "glidein", "files"], Digest] = Field(default_factory=dict)
    """By image, what cannot move: with it what was tried is what runs."""
    postgresql: Pinned = "docker.io/library/postgres:17.6-bookworm"
    """The rendered database's."""
    postgrest: Pinned = "docker.io/postgrest/postgrest:v12.2.12"
    """The front end of instruments, where one is rendered."""
    pull_secret: SecretName | None = None
    """For a registry that asks who it is."""


class Kubernetes(Section):
    """`[kubernetes]`."""

    version: Literal["1.33", "1.34", "1.35", "1.36", "1.37"] = "1.35"
    """Of the cluster."""
    namespace: str = Field(default="mlinfn", pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$")
    """The site's alone."""
    storage_class: str = ""
    """Of the disks of schedds, database and hub; empty: the cluster's default."""
    images: Images
    platform_nodes: Labels = Field(default_factory=dict)
    """Labels of the machines that the platform's own daemons run on; none: any."""
    gpu_nodes: dict[Model, Labels] = Field(default_factory=dict)
    """By model of device, labels of the machines that have it: `T4 = {"nvidia.com/gpu.product" = "Tesla-T4"}`."""
    resources: dict[Model, str] = Field(default_factory=dict)
    """By model, what Kubernetes calls one of it; FPGAs need it."""
    tolerations: list[dict[str, Any]] = Field(
        default=[{"key": "nvidia.com/gpu", "operator": "Exists", "effect": "NoSchedule"}]
    )
    """Taints of machines that nodes of the pool may run on all the same."""
    runtime_class: str = ""
    """RuntimeClass of nodes with devices, where it is not the machines' default: `nvidia`."""
    grace_seconds: int = Field(default=135, ge=30)
    """A node's terminationGracePeriodSeconds: the longest window of a job, and the goodbye."""
    seccomp_user_images: bool = False
    """Whether the machines have the profile that user images need: docs/glidein.md."""
    ingress_namespace: str = "ingress-nginx"
    """From which namespace the proxy may be called."""
    ingress_class: str = "nginx"
    """Empty: no Ingress is rendered, the site has its own way to the Service `proxy`."""
    tls_secret: SecretName | None = "mlinfn-tls"  # noqa: S105 - a name
    """Certificate of hosts.public, for the Ingress."""
    data_tls_secret: SecretName | None = "mlinfn-data-tls"  # noqa: S105 - a name
    """Certificate of hosts.data."""
    metrics_namespace: str = "monitoring"
    """From which namespace Prometheus may scrape."""
    jobs_never_reach: list[Network] = Field(default_factory=list)
    """Networks that jobs reach never, beside all private ones: that of an NFS server with a public address."""
    api_server: Network = "0.0.0.0/0"
    """Network of the API server, which the provisioner calls; the default says any address, on its ports alone."""
    datastore: Address | None = None
    """PostgreSQL (HOST:PORT) in which Kubernetes itself keeps its state, for k3s: docs/kubernetes.md."""


class Provisioning(Section):
    """`[provisioning]`: which nodes come with demand; as in a provisioner's settings, of this cluster."""

    kinds: dict[KindName, KindSettings] = Field(min_length=1)
    limits: Limits = Limits()
    intervals: Intervals = Intervals()

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if found := list(_limits_of_nothing(self)):
            raise ValueError("\n".join(found))
        return self


def _limits_of_nothing(provisioning: Provisioning) -> Iterator[str]:
    kinds = provisioning.kinds.values()
    for table, known in (
        ("devices", {kind.model for kind in kinds}),
        ("owners", {kind.owner_project for kind in kinds}),
    ):
        for name in sorted(set(getattr(provisioning.limits, table)) - known):
            yield f"limits.{table}.{name}: no kind of node has it, so it limits nothing"
    if provisioning.intervals.join_seconds < provisioning.intervals.report_seconds:
        yield "intervals.join_seconds is below report_seconds: sound nodes would count as lost"
