"""A cluster in memory: an API server's answers without one, and nothing happens by itself.

What a scheduler, kubelets and controllers would do is done by the test that holds the twin (TwinHands).
tests/standins/api_server.py puts the same cluster behind HTTPS, so that the real client meets it too.
"""

import re
import threading
import time
import uuid
from collections.abc import Collection, Iterator, Mapping
from copy import deepcopy
from types import TracebackType
from typing import Self

from mlinfn_condor.kube.api import Call, Json, Verb
from mlinfn_condor.kube.gate import ApiKube
from mlinfn_condor.kube.refusals import KubeUnavailable, refusal
from mlinfn_condor.kube.twin_objects import Refused, denied, fits, missing, over_quota, stamp

NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
Rights = Collection[tuple[str, str]]
"""Pairs of resource and verb."""


class TwinCluster:
    """The state of one cluster with one namespace. Every method may be called from any thread."""

    def __init__(self, namespace: str = "mlinfn", now: float = 1_800_000_000.0) -> None:
        self.namespace, self.now = namespace, now
        self.down = False
        self.quota: Mapping[str, float] = {}
        self.rights: dict[str, Rights] = {}
        """By user; who is not in here may do everything."""
        self.calls: list[Call] = []
        """All that was ever asked, so that tests can count."""
        self.changed = threading.Condition(threading.RLock())
        self._objects: dict[str, dict[str, Json]] = {"pods": {}, "leases": {}, "events": {}}
        self._version = 1000
        self._forgotten = 0
        self._history: list[tuple[int, str, Json]] = []
        self._pages: dict[str, list[Json]] = {}

    def serve(self, user: str, call: Call) -> Json:
        """The answer of everything but a watch. Raises Refused."""
        with self.changed:
            self._admit(user, call)
            match call.verb, call.resource:
                case Verb.CREATE, "selfsubjectaccessreviews":
                    return self._review(user, call.body or {})
                case Verb.CREATE, _:
                    return self._create(call)
                case Verb.LIST, _:
                    return self._list(call)
                case Verb.GET, _:
                    return deepcopy(self._have(call))
                case Verb.UPDATE, _:
                    return self._update(call)
                case Verb.DELETE, _:
                    return self._delete(call)
        raise Refused(405, "MethodNotAllowed", f"{call.verb} is no call of its own")

    def watch(self, user: str, call: Call, closed: threading.Event) -> Iterator[Json]:
        """What the server sends, until the watch's time is over; then a bookmark. Raises Refused."""
        with self.changed:
            self._admit(user, call)
            place = int(call.query.get("resourceVersion") or self._version)
        return self._sent(call, place, closed)

    def change(self, name: str, kind: str = "MODIFIED") -> Json:
        """The pod of this name, to be changed by a `with`-less hand: it gets a new version, and watches hear of it."""
        with self.changed:
            return self._record(kind, self._objects["pods"][name])

    def pod(self, name: str) -> Json:
        """The object itself, for hands that change it and then call `change`."""
        return self._objects["pods"][name]

    def pod_names(self) -> list[str]:
        """All there are."""
        with self.changed:
            return sorted(self._objects["pods"])

    def drop(self, name: str) -> None:
        """The pod is gone, whoever did it."""
        with self.changed:
            self._record("DELETED", self._objects["pods"].pop(name))

    def add_event(self, pod: str, reason: str, message: str, kind: str = "Warning") -> None:
        """A controller tells something about a pod."""
        with self.changed:
            uid = self._objects["pods"][pod]["metadata"]["uid"]
            name = f"{pod}.{len(self._objects['events'])}"
            self._objects["events"][name] = {
                "metadata": {"name": name, "creationTimestamp": stamp(self.now)},
                "involvedObject": {"uid": uid},
                "lastTimestamp": stamp(self.now),
                "reason": reason,
                "message": message,
                "type": kind,
            }

    def forget(self) -> None:
        """Compaction: whoever goes on from an old version, in a watch or a page, gets 410."""
        with self.changed:
            self._version += 1
            self._forgotten = self._version
            self._history.clear()
            self._pages.clear()
            self.changed.notify_all()

    def bookmark(self) -> None:
        """Tell all watches how far they are."""
        with self.changed:
            self._version += 1
            meta = {"resourceVersion": str(self._version), "creationTimestamp": None}
            self._history.append((self._version, "BOOKMARK", {"kind": "Pod", "metadata": meta}))
            self.changed.notify_all()

    # --- how the answers are made ---

    def _admit(self, user: str, call: Call) -> None:
        if self.down:
            raise Refused(503, "ServiceUnavailable", "the twin is down")
        self.calls.append(call)
        if call.resource == "selfsubjectaccessreviews":
            return
        rights = self.rights.get(user)
        if rights is not None and (call.resource, str(call.verb)) not in rights:
            raise denied(user, call)
        if call.namespace != self.namespace and call.verb is Verb.CREATE:
            raise missing("namespaces", call.namespace)

    def _review(self, user: str, body: Json) -> Json:
        asked = body["spec"]["resourceAttributes"]
        rights = self.rights.get(user)
        allowed = rights is None or (asked["resource"], str(asked["verb"])) in rights
        return body | {"status": {"allowed": allowed}}

    def _create(self, call: Call) -> Json:
        new = deepcopy(call.body or {})
        meta = new.setdefault("metadata", {})
        name = meta.get("name", "")
        if not NAME.fullmatch(name):
            raise Refused(
                422, "Invalid", f'{call.resource} "{name}" is invalid: metadata.name: a lowercase name is due'
            )
        if name in self._objects[call.resource]:
            raise Refused(409, "AlreadyExists", f'{call.resource} "{name}" already exists')
        if call.resource == "pods":
            over_quota("twin", self.quota, self._objects["pods"].values(), new)
            new["status"] = {"phase": "Pending"}
        meta |= {"uid": str(uuid.uuid4()), "creationTimestamp": stamp(self.now), "namespace": call.namespace}
        self._objects[call.resource][name] = new
        return self._record("ADDED", new, call.resource)

    def _have(self, call: Call) -> Json:
        found = self._objects[call.resource].get(call.name)
        if found is None or call.namespace != self.namespace:
            raise missing(call.resource, call.name)
        return found

    def _list(self, call: Call) -> Json:
        following = call.query.get("continue", "")
        if following:
            if following not in self._pages:
                raise Refused(410, "Expired", "The provided continue parameter is too old")
            rest, version = self._pages.pop(following), following.partition("/")[0]
        else:
            here = self._objects[call.resource] if call.namespace == self.namespace else {}
            rest, version = (
                [deepcopy(each) for _, each in sorted(here.items()) if _wanted(call, each)],
                str(self._version),
            )
        limit = int(call.query.get("limit") or 0) or len(rest)
        page, rest = rest[:limit], rest[limit:]
        meta = {"resourceVersion": version}
        if rest:
            meta["continue"] = f"{version}/{uuid.uuid4()}"
            self._pages[meta["continue"]] = rest
        return {"kind": "List", "apiVersion": "v1", "metadata": meta, "items": page}

    def _update(self, call: Call) -> Json:
        found, new = self._have(call), deepcopy(call.body or {})
        version = new.get("metadata", {}).get("resourceVersion")
        if version and version != found["metadata"]["resourceVersion"]:
            raise Refused(409, "Conflict", f"the object has been modified: {call.resource} {call.name!r}")
        new["metadata"] = found["metadata"] | new["metadata"]
        self._objects[call.resource][call.name] = new
        return self._record("MODIFIED", new, call.resource)

    def _delete(self, call: Call) -> Json:
        found, options = self._have(call), call.body or {}
        meta = found["metadata"]
        uid = options.get("preconditions", {}).get("uid", meta["uid"])
        if uid != meta["uid"]:
            raise Refused(409, "Conflict", f"the UID in the precondition ({uid}) does not match {meta['uid']}")
        running = found["spec"].get("nodeName") and found["status"]["phase"] not in ("Succeeded", "Failed")
        asked = options.get("gracePeriodSeconds", found["spec"].get("terminationGracePeriodSeconds", 30))
        grace = asked if running else 0
        if grace == 0:
            return self._record("DELETED", self._objects[call.resource].pop(call.name))
        if "deletionTimestamp" not in meta or grace < meta["deletionGracePeriodSeconds"]:
            meta |= {"deletionTimestamp": stamp(self.now + grace), "deletionGracePeriodSeconds": grace}
            return self._record("MODIFIED", found)
        return deepcopy(found)

    def _record(self, kind: str, found: Json, resource: str = "pods") -> Json:
        self._version += 1
        found["metadata"]["resourceVersion"] = str(self._version)
        told = deepcopy(found) | {"kind": {"pods": "Pod", "leases": "Lease"}[resource]}
        if resource == "pods":
            self._history.append((self._version, kind, told))
            self.changed.notify_all()
        return deepcopy(told)

    def _sent(self, call: Call, place: int, closed: threading.Event) -> Iterator[Json]:
        until = time.monotonic() + float(call.query.get("timeoutSeconds", 300))
        while True:
            with self.changed:
                self._wait_for_news(place, until, closed)
                if self.down or closed.is_set():
                    return
                news, gone = self._after(place), place < self._forgotten
            if gone:
                expired = Refused(410, "Expired", f"too old resource version: {place}")
                yield {"type": "ERROR", "object": expired.status}
                return
            if not news:
                yield {"type": "BOOKMARK", "object": {"kind": "Pod", "metadata": {"resourceVersion": str(place)}}}
                return
            place = news[-1][0]
            for _, kind, found in news:
                if kind == "BOOKMARK" or _wanted(call, found):
                    yield {"type": kind, "object": found}

    def _wait_for_news(self, place: int, until: float, closed: threading.Event) -> None:
        self.changed.wait_for(
            lambda: closed.is_set() or self.down or place < self._forgotten or self._after(place),
            max(0.0, until - time.monotonic()),
        )

    def _after(self, place: int) -> list[tuple[int, str, Json]]:
        return [each for each in self._history if each[0] > place]


class TwinApi:
    """Carries one user's calls to a cluster in memory."""

    def __init__(self, cluster: TwinCluster, user: str = "provisioner") -> None:
        self._cluster, self._user = cluster, user

    def call(self, call: Call) -> Json:
        """See Api."""
        try:
            return self._cluster.serve(self._user, call)
        except Refused as error:
            raise refusal(call, error.status["code"], error.status) from error

    def stream(self, call: Call) -> "TwinStream":
        """See Api."""
        closed = threading.Event()
        try:
            return TwinStream(self._cluster, self._cluster.watch(self._user, call, closed), closed)
        except Refused as error:
            raise refusal(call, error.status["code"], error.status) from error


class TwinStream:
    """A watch in memory."""

    def __init__(self, cluster: TwinCluster, sent: Iterator[Json], closed: threading.Event) -> None:
        self._cluster, self._sent, self._closed = cluster, sent, closed

    def __iter__(self) -> Iterator[Json]:
        yield from self._sent
        if self._cluster.down and not self._closed.is_set():
            raise KubeUnavailable("the wire was cut")

    def close(self) -> None:
        """See Stream."""
        with self._cluster.changed:
            self._closed.set()
            self._cluster.changed.notify_all()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def twin_kube(cluster: TwinCluster, user: str = "provisioner", *, page: int = 500) -> ApiKube:
    """The gate to a cluster in memory."""
    return ApiKube(TwinApi(cluster, user), cluster.namespace, page=page, clock=lambda: cluster.now)


def _wanted(call: Call, found: Json) -> bool:
    meta = found.get("metadata", {})
    field, _, value = call.query.get("fieldSelector", "").partition("=")
    if field == "involvedObject.uid" and found.get("involvedObject", {}).get("uid") != value:
        return False
    return fits(call.query.get("labelSelector", ""), meta.get("labels") or {})
