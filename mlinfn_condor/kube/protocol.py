"""What Kubernetes does for us. The real one and the twin pass the same tests (tests/contract/test_kube.py)."""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from types import TracebackType
from typing import Protocol, Self

from mlinfn_condor.kube.api import Json, Verb
from mlinfn_condor.kube.leases import Lease
from mlinfn_condor.kube.pods import Pod, PodEvent


@dataclass(frozen=True)
class Listing:
    """Pods as they were at one moment, and the moment's version: a watch goes on from there."""

    pods: tuple[Pod, ...]
    version: str


class ChangeKind(StrEnum):
    """What a watch tells."""

    ADDED = "ADDED"
    MODIFIED = "MODIFIED"
    DELETED = "DELETED"
    BOOKMARK = "BOOKMARK"
    """Nothing changed; the version alone moves on."""


@dataclass(frozen=True)
class Change:
    """One thing that happened, and the version to go on from after it."""

    kind: ChangeKind
    version: str
    pod: Pod | None = None
    """As it is now, or was last; None for a bookmark."""


class Watch(Protocol):
    """Changes as they happen. It ends when its time is over: go on with the last version."""

    def __iter__(self) -> Iterator[Change]:
        """Raises VersionGone (list anew), KubeUnavailable (the wire was cut)."""
        ...

    def close(self) -> None:
        """End it, from any thread."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Kube(Protocol):
    """One namespace of a cluster, with the rights of one identity.

    Every method raises KubeUnavailable when no answer came in time, KubeDenied when a right is missing.
    """

    @property
    def namespace(self) -> str:
        """Where all of it lies."""
        ...

    def pods(self, selector: str) -> Listing:
        """Pods whose labels fulfil `selector` (`a=b,c=d`), fetched in pages, all of one moment."""
        ...

    def pod(self, name: str) -> Pod | None:
        """This pod, if there is one."""
        ...

    def create_pod(self, manifest: Json) -> Pod:
        """Raises AlreadyExists, QuotaExceeded, KubeRefused. A retry whose first attempt got through: AlreadyExists."""
        ...

    def delete_pod(self, pod: Pod, grace_seconds: int | None = None) -> Pod | None:
        """End it, within its own grace period or the one given. The pod as it leaves; None: it is gone.

        Another pod that took the name meanwhile stays.
        """
        ...

    def watch_pods(self, selector: str, version: str, seconds: int) -> Watch:
        """What happens to pods from `version` on, for at most so long."""
        ...

    def pod_events(self, pod: Pod) -> list[PodEvent]:
        """What happened to it, oldest first; the cluster keeps it for an hour or so."""
        ...

    def lease(self, name: str) -> Lease | None:
        """This lease, if there is one."""
        ...

    def put_lease(self, lease: Lease) -> Lease:
        """Create it (no version) or replace exactly its version. Raises AlreadyExists, Conflict, NotFound."""
        ...

    def may(self, verb: Verb, resource: str) -> bool:
        """Whether our identity has this right here."""
        ...
