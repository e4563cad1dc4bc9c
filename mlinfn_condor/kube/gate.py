"""The gate itself: what we want of Kubernetes, as calls to an API server."""

import time
from collections.abc import Callable, Iterator, Mapping
from types import TracebackType
from typing import Self

from mlinfn_condor.kube.api import GROUP, Api, Call, Json, Stream, Verb
from mlinfn_condor.kube.leases import Lease, read_lease, write_lease
from mlinfn_condor.kube.pods import Pod, PodEvent, read_event, read_pod
from mlinfn_condor.kube.protocol import Change, ChangeKind, Listing
from mlinfn_condor.kube.refusals import Conflict, KubeUnavailable, NotFound, VersionGone, refusal

PAGE = 500
"""Pods a page: what kubectl asks for."""
CHANGES = frozenset(kind.value for kind in ChangeKind)
LISTINGS = 3
"""How often a list whose pages went stale half-way is begun anew."""


class ApiKube:
    """Kube over whatever carries calls."""

    def __init__(self, api: Api, namespace: str, *, page: int = PAGE, clock: Callable[[], float] = time.time) -> None:
        self._api, self._namespace, self._page, self._clock = api, namespace, page, clock

    @property
    def namespace(self) -> str:
        """See Kube."""
        return self._namespace

    def pods(self, selector: str) -> Listing:
        """See Kube."""
        for _ in range(LISTINGS - 1):
            try:
                return self._pods(selector)
            except VersionGone:
                continue
        try:
            return self._pods(selector)
        except VersionGone as error:
            raise KubeUnavailable(f"the API server forgets lists before their pages are read: {error}") from error

    def pod(self, name: str) -> Pod | None:
        """See Kube."""
        try:
            return read_pod(self._call(Verb.GET, "pods", name))
        except NotFound:
            return None

    def create_pod(self, manifest: Json) -> Pod:
        """See Kube."""
        return read_pod(self._call(Verb.CREATE, "pods", body=manifest))

    def delete_pod(self, pod: Pod, grace_seconds: int | None = None) -> Pod | None:
        """See Kube."""
        options: Json = {"apiVersion": "v1", "kind": "DeleteOptions", "preconditions": {"uid": pod.uid}}
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        try:
            answer = self._call(Verb.DELETE, "pods", pod.name, body=options)
        except (NotFound, Conflict):
            return None  # gone, or the name is another pod's by now
        return read_pod(answer) if answer.get("kind") == "Pod" else None

    def watch_pods(self, selector: str, version: str, seconds: int) -> "PodWatch":
        """See Kube."""
        query = {
            "labelSelector": selector,
            "resourceVersion": version,
            "timeoutSeconds": str(seconds),
            "allowWatchBookmarks": "true",
            "watch": "true",
        }
        call = Call(Verb.WATCH, "pods", self._namespace, query=query)
        return PodWatch(call, self._api.stream(call))

    def pod_events(self, pod: Pod) -> list[PodEvent]:
        """See Kube."""
        query = {"fieldSelector": f"involvedObject.uid={pod.uid}", "limit": str(self._page)}
        found = self._call(Verb.LIST, "events", query=query)
        return sorted(map(read_event, found.get("items") or []), key=lambda event: event.when)

    def lease(self, name: str) -> Lease | None:
        """See Kube."""
        try:
            return read_lease(self._call(Verb.GET, "leases", name))
        except NotFound:
            return None

    def put_lease(self, lease: Lease) -> Lease:
        """See Kube."""
        verb, name = (Verb.UPDATE, lease.name) if lease.version else (Verb.CREATE, "")
        return read_lease(self._call(verb, "leases", name, body=write_lease(lease, self._namespace, self._clock())))

    def may(self, verb: Verb, resource: str) -> bool:
        """See Kube."""
        attributes = {"namespace": self._namespace, "verb": verb, "group": GROUP[resource], "resource": resource}
        review = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SelfSubjectAccessReview",
            "spec": {"resourceAttributes": attributes},
        }
        answer = self._api.call(Call(Verb.CREATE, "selfsubjectaccessreviews", body=review))
        return bool((answer.get("status") or {}).get("allowed"))

    def _pods(self, selector: str) -> Listing:
        pods: list[Pod] = []
        following = ""
        while True:
            query = {"labelSelector": selector, "limit": str(self._page)}
            found = self._call(Verb.LIST, "pods", query=query | ({"continue": following} if following else {}))
            meta = found.get("metadata") or {}
            if "resourceVersion" not in meta:
                raise KubeUnavailable("the API server's list of pods has no version")
            pods += map(read_pod, found.get("items") or [])
            following = meta.get("continue") or ""
            if not following:
                return Listing(tuple(pods), meta["resourceVersion"])

    def _call(
        self,
        verb: Verb,
        resource: str,
        name: str = "",
        *,
        query: Mapping[str, str] | None = None,
        body: Json | None = None,
    ) -> Json:
        return self._api.call(Call(verb, resource, self._namespace, name, query or {}, body))


class PodWatch:
    """Changes of the objects of a stream."""

    def __init__(self, call: Call, stream: Stream) -> None:
        self._call, self._stream = call, stream

    def __iter__(self) -> Iterator[Change]:
        for told in self._stream:
            kind, found = told.get("type"), told.get("object") or {}
            if kind == "ERROR":
                raise refusal(self._call, int(found.get("code") or 500), found)
            if kind == ChangeKind.BOOKMARK:
                yield Change(ChangeKind.BOOKMARK, (found.get("metadata") or {}).get("resourceVersion") or "")
            elif kind in CHANGES:
                pod = read_pod(found)
                yield Change(ChangeKind(kind), pod.version, pod)

    def close(self) -> None:
        """See Watch."""
        self._stream.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stream.__exit__(kind, error, trace)
