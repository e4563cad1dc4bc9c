"""Pods and their events as we look at them, read from what the API server says. Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from mlinfn_condor.kube.api import Json
from mlinfn_condor.kube.refusals import KubeUnavailable


class PodPhase(StrEnum):
    """Kubernetes' own five."""

    PENDING = "Pending"
    RUNNING = "Running"
    SUCCEEDED = "Succeeded"
    FAILED = "Failed"
    UNKNOWN = "Unknown"


@dataclass(frozen=True)
class Pod:
    """One pod. Times are epoch seconds of the API server's clock."""

    name: str
    uid: str
    version: str
    """Its resourceVersion."""
    labels: Mapping[str, str]
    phase: PodPhase
    created: float
    node: str = ""
    """Where it runs; empty until it was scheduled."""
    reason: str = ""
    """Why it is as it is, in Kubernetes' word: `Evicted`, `ImagePullBackOff`, `Unschedulable`, `OOMKilled` …"""
    message: str = ""
    """The same for people, as far as Kubernetes has a sentence."""
    started: float | None = None
    """Since when its container runs; None: it does not."""
    exit_code: int | None = None
    """How its container ended; None while it did not."""
    leaving: float | None = None
    """Until when it has to end, once it was deleted."""
    disrupted: bool = False
    """Kubernetes itself takes it away: its node is gone, or somebody else needs the place."""

    def is_older_than(self, other: "Pod") -> bool:
        """Whether it tells of an earlier moment; False for versions that are no numbers, as KEP-5504 has them be."""
        both = self.version, other.version
        return all(map(str.isdecimal, both)) and int(self.version) < int(other.version)


@dataclass(frozen=True)
class PodEvent:
    """What happened to a pod: its scheduler's, its kubelet's or the autoscaler's words."""

    reason: str
    message: str
    when: float
    warning: bool = False


def read_pod(found: Json) -> Pod:
    """A Pod of the API server's object. Raises KubeUnavailable for what is no pod."""
    try:
        meta, spec, status = found["metadata"], found.get("spec") or {}, found.get("status") or {}
        disruption = _condition(status, "DisruptionTarget", "True")
        reason, message = next(_whys(status), ("", ""))
        ends = [ended for ended in _containers(status, "terminated") if "exitCode" in ended]
        return Pod(
            name=meta["name"],
            uid=meta["uid"],
            version=meta["resourceVersion"],
            labels=dict(meta.get("labels") or {}),
            phase=PodPhase(status.get("phase") or PodPhase.PENDING),
            created=epoch(meta["creationTimestamp"]),
            node=spec.get("nodeName") or "",
            reason=reason,
            message=message,
            started=next((epoch(each["startedAt"]) for each in _containers(status, "running")), None),
            exit_code=ends[0]["exitCode"] if ends else None,
            leaving=epoch(meta["deletionTimestamp"]) if meta.get("deletionTimestamp") else None,
            disrupted=bool(disruption) or status.get("reason") in {"NodeLost", "NodeShutdown", "Evicted"},
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise KubeUnavailable(f"the API server told of a pod that cannot be read: {error!r}") from error


def read_event(found: Json) -> PodEvent:
    """A PodEvent of the API server's object."""
    when = found.get("lastTimestamp") or found.get("eventTime") or found["metadata"]["creationTimestamp"]
    return PodEvent(
        str(found.get("reason") or ""), str(found.get("message") or ""), epoch(when), found.get("type") == "Warning"
    )


def epoch(text: str) -> float:
    """Seconds since 1970 of Kubernetes' `2026-11-25T18:09:58Z`, with or without microseconds."""
    return datetime.fromisoformat(text).timestamp()


def _whys(status: Json) -> Iterator[tuple[str, str]]:
    """What speaks for the pod's state, the most telling first."""
    if status.get("reason"):
        yield status["reason"], status.get("message") or ""
    if disruption := _condition(status, "DisruptionTarget", "True"):
        yield disruption.get("reason") or "DisruptionTarget", disruption.get("message") or ""
    for ended in _containers(status, "terminated"):
        yield ended.get("reason") or "Terminated", ended.get("message") or ""
    for waiting in _containers(status, "waiting"):
        yield waiting.get("reason") or "Waiting", waiting.get("message") or ""
    if unscheduled := _condition(status, "PodScheduled", "False"):
        yield unscheduled.get("reason") or "Unschedulable", unscheduled.get("message") or ""


def _condition(status: Json, kind: str, value: str) -> Json | None:
    conditions = status.get("conditions") or []
    return next((each for each in conditions if each.get("type") == kind and each.get("status") == value), None)


def _containers(status: Json, state: str) -> Iterator[Json]:
    """States of the containers that are in `state`; of those that prepare the pod only what hinders it."""
    for first in status.get("initContainerStatuses") or []:
        found = (first.get("state") or {}).get(state)
        if found and found.get("exitCode", 1) != 0:
            yield found
    for each in status.get("containerStatuses") or []:
        found = (each.get("state") or {}).get(state)
        if found:
            yield found
