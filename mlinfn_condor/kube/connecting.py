"""How we find a cluster: a kubeconfig, or the pod that we run in. TLS is verified, always."""

import os
from pathlib import Path
from typing import Any

from mlinfn_condor.errors import UserError
from mlinfn_condor.kube.gate import ApiKube
from mlinfn_condor.kube.patience import Patience

SERVICE_ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def connect(
    kubeconfig: Path | None = None,
    *,
    context: str | None = None,
    namespace: str = "",
    unverified_tls: bool = False,
    patience: Patience | None = None,
) -> ApiKube:
    """The namespace of a cluster: of a kubeconfig, or without one of the cluster that we run in.

    `namespace` empty: the context's, or the pod's own. Raises UserError, with the cure, when there is none, or when
    the connection would not be verified and the site did not say that it wants that. Nothing is asked of the cluster.
    """
    from yaml import YAMLError

    from mlinfn_condor.kube.bindings import ConfigException, Configuration, load_incluster_config, load_kube_config
    from mlinfn_condor.kube.real import RealApi

    found = Configuration()
    try:
        if kubeconfig is None and "KUBERNETES_SERVICE_HOST" in os.environ:
            where = "this pod's service account"
            load_incluster_config(client_configuration=found)
            namespace = namespace or (SERVICE_ACCOUNT / "namespace").read_text().strip()
        elif kubeconfig is None:
            raise UserError("this is no pod of a cluster: name a kubeconfig (--kubeconfig FILE)")
        else:
            where = str(kubeconfig)
            load_kube_config(str(kubeconfig), context=context, client_configuration=found)
            namespace = namespace or _namespace(kubeconfig, context)
    except (ConfigException, YAMLError, OSError, ValueError, KeyError, TypeError) as error:
        raise UserError(f"{where} does not say how to reach a cluster: {error}") from error
    _insist_on_tls(found, where, unverified_tls)
    if not namespace:
        raise UserError(f"{where} names no namespace: give one that is the pool's alone (--namespace NAME)")
    return ApiKube(RealApi(found, patience or Patience()), namespace)


def _insist_on_tls(found: Any, where: str, unverified: bool) -> None:
    if unverified:
        return
    if not str(found.host).startswith("https://"):
        raise UserError(f"{where} reaches the API server without TLS ({found.host}): use its https address")
    if not found.verify_ssl:
        raise UserError(
            f"{where} says insecure-skip-tls-verify: anybody in between could read the pool's tokens. "
            "Put the cluster's authority there instead (certificate-authority-data)"
        )


def _namespace(kubeconfig: Path, context: str | None) -> str:
    from mlinfn_condor.kube.bindings import list_kube_config_contexts

    contexts, active = list_kube_config_contexts(str(kubeconfig))
    chosen = next((each for each in contexts if each["name"] == context), active)
    return str((chosen.get("context") or {}).get("namespace") or "")
