"""Glideins as pods: manifest → pod → glidein, known from a watch, by whichever provisioner leads."""

from mlinfn_condor.kube import Kube, connect
from mlinfn_condor.provisioning.backends.kubernetes import labels
from mlinfn_condor.provisioning.backends.kubernetes.backend import AnotherLeads, KubernetesBackend
from mlinfn_condor.provisioning.backends.kubernetes.following import Following
from mlinfn_condor.provisioning.backends.kubernetes.leading import LeaseLeader
from mlinfn_condor.provisioning.backends.kubernetes.manifest import read_template
from mlinfn_condor.provisioning.backends.kubernetes.site import KubernetesSite

__all__ = [
    "AnotherLeads",
    "KubernetesBackend",
    "KubernetesSite",
    "LeaseLeader",
    "connect_to",
    "open_backend",
    "open_leader",
]


def connect_to(site: KubernetesSite) -> Kube:
    """The gate to the site's namespace. Raises UserError; asks nothing of the cluster yet."""
    return connect(site.kubeconfig, context=site.context, namespace=site.namespace, unverified_tls=site.unverified_tls)


def open_leader(site: KubernetesSite, kube: Kube, me: str = "") -> LeaseLeader:
    """Who of this pool's provisioners acts. `me`: see LeaseLeader."""
    return LeaseLeader(kube, me=me, name=f"mlinfn-provisioner-{site.pool}")


def open_backend(
    site: KubernetesSite, kube: Kube, *, leader: LeaseLeader | None = None, watch: bool = False
) -> KubernetesBackend:
    """The back end of a site. `leader` and `watch` are for the provisioner, which looks again and again.

    Raises BadRequest for a template that cannot be used; asks nothing of the cluster yet.
    """
    following = Following(kube, labels.selector(site.pool), watch=watch)
    return KubernetesBackend(kube, site, read_template(site.template), following=following, leader=leader)
