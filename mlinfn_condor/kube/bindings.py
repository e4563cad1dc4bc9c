"""What we use of the official client, imported here alone and only when a cluster is spoken to (about two seconds)."""

import sys

# Its part `dynamic`, which we do not use, imports kubernetes_validate where that is installed (for our tests), and with
# it a grammar that takes eight seconds to build. None in the table of modules means: not to be had.
_validate = sys.modules.get("kubernetes_validate")
sys.modules["kubernetes_validate"] = None  # type: ignore[assignment]
try:
    from kubernetes.client import ApiClient, ApiException, Configuration
    from kubernetes.config import (
        ConfigException,
        list_kube_config_contexts,
        load_incluster_config,
        load_kube_config,
    )
finally:
    del sys.modules["kubernetes_validate"]
    if _validate is not None:
        sys.modules["kubernetes_validate"] = _validate

__all__ = [
    "ApiClient",
    "ApiException",
    "ConfigException",
    "Configuration",
    "list_kube_config_contexts",
    "load_incluster_config",
    "load_kube_config",
]
