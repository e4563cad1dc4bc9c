"""Kubernetes' own state in PostgreSQL instead of etcd, as k3s has it: its configuration. Pure; docs/kubernetes.md."""

from mlinfn_condor.site.settings import Site

_K3S = """\
# Written by `mlinfn config render` for /etc/rancher/k3s/config.yaml of each server. No password is in it: the database
# knows k3s by its certificate, whose key only root reads. It has a database of its own, which nothing else shares.
datastore-endpoint: "postgres://k3s@{address}/k3s?sslmode=verify-full"
datastore-cafile: /etc/rancher/k3s/datastore/ca.crt
datastore-certfile: /etc/rancher/k3s/datastore/k3s.crt
datastore-keyfile: /etc/rancher/k3s/datastore/k3s.key
secrets-encryption: true
write-kubeconfig-mode: "0600"
"""


def files(site: Site) -> dict[str, str]:
    """By path; nothing where the site says nothing of it."""
    return {"config.yaml": _K3S.format(address=site.kubernetes.datastore)} if site.kubernetes.datastore else {}
