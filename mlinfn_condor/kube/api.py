"""Calls to an API server, and who carries them: the official client (real.py) or memory (twin.py)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from types import TracebackType
from typing import Any, Protocol, Self

Json = dict[str, Any]


class Verb(StrEnum):
    """What RBAC calls the kinds of call."""

    GET = "get"
    LIST = "list"
    WATCH = "watch"
    CREATE = "create"
    UPDATE = "update"
    DELETE = "delete"


METHOD = {
    Verb.GET: "GET",
    Verb.LIST: "GET",
    Verb.WATCH: "GET",
    Verb.CREATE: "POST",
    Verb.UPDATE: "PUT",
    Verb.DELETE: "DELETE",
}

GROUP = {"pods": "", "events": "", "leases": "coordination.k8s.io", "selfsubjectaccessreviews": "authorization.k8s.io"}
"""The resources we speak of, each with its API group; all are of version v1."""

RIGHTS = frozenset(
    {
        ("pods", Verb.GET),
        ("pods", Verb.LIST),
        ("pods", Verb.WATCH),
        ("pods", Verb.CREATE),
        ("pods", Verb.DELETE),
        ("events", Verb.LIST),
        ("leases", Verb.GET),
        ("leases", Verb.CREATE),
        ("leases", Verb.UPDATE),
    }
)
"""What the gate needs to be allowed in its namespace, no more and no less: glidein/kubernetes/rights.yaml."""


@dataclass(frozen=True)
class Call:
    """One request. `namespace` is empty for what belongs to none."""

    verb: Verb
    resource: str
    namespace: str = ""
    name: str = ""
    query: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = None

    @property
    def path(self) -> str:
        """Where the API server has it."""
        group = GROUP[self.resource]
        where = f"/apis/{group}/v1" if group else "/api/v1"
        where += f"/namespaces/{self.namespace}" if self.namespace else ""
        return f"{where}/{self.resource}" + (f"/{self.name}" if self.name else "")

    @property
    def words(self) -> str:
        """For messages: `create pods in namespace ai`."""
        return f"{self.verb} {self.resource}" + (f" in namespace {self.namespace}" if self.namespace else "")


class Stream(Protocol):
    """The objects of a watch, one after the other, until the server ends it or somebody closes it."""

    def __iter__(self) -> Iterator[Json]:
        """Raises KubeUnavailable when the wire is cut, what was cut off in the middle of being lost."""
        ...

    def close(self) -> None:
        """End it, from any thread: who waits for the next object stops waiting."""
        ...

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Api(Protocol):
    """Carries calls. Both methods raise KubeUnavailable when no answer came, and refusals (refusals.py)."""

    def call(self, call: Call) -> Json:
        """The answer; asked again, within a deadline, when the server is busy or broken."""
        ...

    def stream(self, call: Call) -> Stream:
        """Begin a watch."""
        ...
