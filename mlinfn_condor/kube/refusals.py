"""What an API server refuses, told apart by who must act. Pure."""

import re

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.kube.api import Call, Json, Verb


class KubeUnavailable(MlinfnError):
    """The API server did not answer, or not with sense, before the deadline."""

    page = "docs/operations.md#nodes-as-pods"


class KubeUntrusted(KubeUnavailable):
    """Somebody answered whose certificate we cannot verify; nothing was said to him."""


class KubeRefused(MlinfnError):
    """The API server refuses this object as it is; the message is its reason."""

    page = "docs/operations.md#nodes-as-pods"


class KubeDenied(MlinfnError):
    """We may not do this: a right is missing (RBAC), or our identity is not accepted."""

    page = "docs/operations.md#nodes-as-pods"


class QuotaExceeded(KubeRefused):
    """The namespace's quota has no room for it."""


class AlreadyExists(KubeRefused):
    """An object of this name exists already."""


class Conflict(KubeRefused):
    """The object is not as the caller believed: somebody changed it, or it is another one of the same name."""


class NotFound(KubeRefused):
    """No such object."""


class VersionGone(KubeRefused):
    """What the caller wants to go on from is too old (410): begin with a new list."""


PASSING = frozenset({408, 429, 500, 502, 503, 504})
"""Answers that say: ask again later."""

_QUOTA = re.compile(r"exceeded quota: |failed quota: ")
_RBAC = re.compile(r'"[^"]*" cannot [a-z]+ resource ')


def refusal(call: Call, status: int, answer: Json) -> MlinfnError:
    """The error of an answer that is none of 2xx. `answer` is the server's Status object, as far as there was one."""
    reason = str(answer.get("reason") or "")
    words = str(answer.get("message") or "") or reason or f"it answered {status}"
    match status, reason:
        case 401, _:
            return KubeDenied(
                f"the API server does not accept our identity ({words}): renew the token or the kubeconfig"
            )
        case 403, _ if _RBAC.search(words):
            return KubeDenied(f"we may not {call.words}: apply glidein/kubernetes/rights.yaml there ({words})")
        case 403, _ if _QUOTA.search(words):
            return QuotaExceeded(words)
        case 404, _ if call.verb in (Verb.CREATE, Verb.LIST, Verb.WATCH):
            return KubeRefused(f"there is no place for it: {words}")
        case 404, _:
            return NotFound(words)
        case 409, "AlreadyExists":
            return AlreadyExists(words)
        case 409, _:
            return Conflict(words)
        case 410, _:
            return VersionGone(words)
        case _ if status in PASSING:
            return KubeUnavailable(f"the API server could not {call.words}: {words}")
        case _:
            return KubeRefused(words)
