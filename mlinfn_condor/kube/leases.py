"""The lease by which one of several provisioners leads (coordination.k8s.io/v1). Pure."""

from dataclasses import dataclass
from datetime import UTC, datetime

from mlinfn_condor.kube.api import Json
from mlinfn_condor.kube.refusals import KubeUnavailable


@dataclass(frozen=True)
class Lease:
    """Who holds it, and for how long since it was last renewed. Times are never compared across machines."""

    name: str
    holder: str
    """Identity of who holds it; empty when it was given back."""
    seconds: int
    """Good for so long after its last change."""
    transitions: int = 0
    """How often it went from one to another."""
    version: str = ""
    """Its resourceVersion; empty for one that does not exist yet."""


def read_lease(found: Json) -> Lease:
    """A Lease of the API server's object. Raises KubeUnavailable for what is none."""
    try:
        meta, spec = found["metadata"], found.get("spec") or {}
        return Lease(
            meta["name"],
            spec.get("holderIdentity") or "",
            int(spec.get("leaseDurationSeconds") or 0),
            int(spec.get("leaseTransitions") or 0),
            meta["resourceVersion"],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KubeUnavailable(f"the API server told of a lease that cannot be read: {error!r}") from error


def write_lease(lease: Lease, namespace: str, now: float) -> Json:
    """The API server's object. `now`, epoch seconds, is for people who look: nobody decides by it."""
    meta: Json = {"name": lease.name, "namespace": namespace}
    if lease.version:
        meta["resourceVersion"] = lease.version
    spec = {
        "holderIdentity": lease.holder,
        "leaseDurationSeconds": lease.seconds,
        "leaseTransitions": lease.transitions,
        "renewTime": datetime.fromtimestamp(now, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"),
    }
    return {"apiVersion": "coordination.k8s.io/v1", "kind": "Lease", "metadata": meta, "spec": spec}
