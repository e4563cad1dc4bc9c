"""The labels of our pods: they are the only state that there is."""

from mlinfn_condor.provisioning.nodes import NodeKind

PREFIX = "mlinfn.infn.it"
MANAGED_BY = "app.kubernetes.io/managed-by"
POOL = f"{PREFIX}/pool"
KIND = f"{PREFIX}/kind"
WARM = f"{PREFIX}/warm"
PLEDGED = f"{PREFIX}/pledged"
US = "mlinfn"


def selector(pool: str) -> str:
    """What the API server is to look for: all glideins of a pool, whoever asked for them."""
    return f"{MANAGED_BY}={US},{POOL}={pool}"


def labels(pool: str, kind: NodeKind, *, warm: bool) -> dict[str, str]:
    """Of one glidein."""
    return {
        "app.kubernetes.io/name": "mlinfn-glidein",
        MANAGED_BY: US,
        POOL: pool,
        KIND: kind.name,
        WARM: str(warm).lower(),
        PLEDGED: str(kind.pledged).lower(),
    }
