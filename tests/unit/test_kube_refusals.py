"""What an API server's refusals are to us: who has to act."""

import pytest

from mlinfn_condor.kube import (
    AlreadyExists,
    Conflict,
    KubeDenied,
    KubeRefused,
    KubeUnavailable,
    NotFound,
    QuotaExceeded,
    Verb,
    VersionGone,
)
from mlinfn_condor.kube.api import Call
from mlinfn_condor.kube.refusals import refusal

CREATE = Call(Verb.CREATE, "pods", "ai")
DELETE = Call(Verb.DELETE, "pods", "ai", "one")
RBAC = 'pods is forbidden: User "p" cannot create resource "pods" in API group "" in the namespace "ai"'
QUOTA = 'pods "one" is forbidden: exceeded quota: gpus, requested: requests.nvidia.com/gpu=1, used: …=8, limited: …=8'
UNSAID = 'pods "one" is forbidden: failed quota: compute: must specify limits.cpu for: glidein'
SECURITY = 'pods "one" is forbidden: violates PodSecurity "baseline:latest": privileged'


@pytest.mark.parametrize(
    ("call", "status", "reason", "message", "kind"),
    [
        (CREATE, 403, "Forbidden", RBAC, KubeDenied),
        (CREATE, 403, "Forbidden", QUOTA, QuotaExceeded),
        (CREATE, 403, "Forbidden", UNSAID, QuotaExceeded),
        (CREATE, 403, "Forbidden", SECURITY, KubeRefused),
        (CREATE, 401, "Unauthorized", "Unauthorized", KubeDenied),
        (CREATE, 404, "NotFound", 'namespaces "ai" not found', KubeRefused),
        (DELETE, 404, "NotFound", 'pods "one" not found', NotFound),
        (CREATE, 409, "AlreadyExists", 'pods "one" already exists', AlreadyExists),
        (DELETE, 409, "Conflict", "the UID in the precondition does not match", Conflict),
        (CREATE, 410, "Expired", "too old resource version", VersionGone),
        (CREATE, 422, "Invalid", "metadata.name: Invalid value", KubeRefused),
        (CREATE, 429, "TooManyRequests", "slow down", KubeUnavailable),
        (CREATE, 500, "InternalError", "etcdserver: request timed out", KubeUnavailable),
        (CREATE, 503, "", "", KubeUnavailable),
    ],
)
def test_a_refusal_is_told_by_who_must_act(call, status, reason, message, kind):
    found = refusal(call, status, {"reason": reason, "message": message})
    assert type(found) is kind
    assert message in str(found)


def test_a_missing_right_names_verb_place_and_cure():
    words = str(refusal(CREATE, 403, {"message": RBAC}))
    assert "create pods in namespace ai" in words
    assert "glidein/kubernetes/rights.yaml" in words


def test_an_answer_without_words_still_says_something():
    assert "503" in str(refusal(CREATE, 503, {}))
