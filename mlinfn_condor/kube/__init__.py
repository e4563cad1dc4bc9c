"""The gate to Kubernetes: the only package that imports its client."""

from mlinfn_condor.kube.api import RIGHTS, Json, Verb
from mlinfn_condor.kube.connecting import connect
from mlinfn_condor.kube.leases import Lease
from mlinfn_condor.kube.pods import Pod, PodEvent, PodPhase
from mlinfn_condor.kube.protocol import Change, ChangeKind, Kube, Listing, Watch
from mlinfn_condor.kube.refusals import (
    AlreadyExists,
    Conflict,
    KubeDenied,
    KubeRefused,
    KubeUnavailable,
    NotFound,
    QuotaExceeded,
    VersionGone,
)

__all__ = [
    "RIGHTS",
    "AlreadyExists",
    "Change",
    "ChangeKind",
    "Conflict",
    "Json",
    "Kube",
    "KubeDenied",
    "KubeRefused",
    "KubeUnavailable",
    "Lease",
    "Listing",
    "NotFound",
    "Pod",
    "PodEvent",
    "PodPhase",
    "QuotaExceeded",
    "Verb",
    "VersionGone",
    "Watch",
    "connect",
]
