"""What provides nodes: Kubernetes, processes of this machine, an administrator. One contract for all of them."""

from collections.abc import Iterable
from typing import Protocol

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Trouble


class BackendUnavailable(MlinfnError):
    """The place that provides nodes did not answer; the next turn tries again."""

    page = "docs/operations.md#nodes-as-pods"


class NodeRefused(MlinfnError):
    """The place says that this node cannot be had; the message is its reason."""

    page = "docs/operations.md#nodes-as-pods"

    def __init__(self, message: str, trouble: Trouble = Trouble.UNKNOWN) -> None:
        super().__init__(message)
        self.trouble = trouble


class Backend(Protocol):
    """Glideins of one pool in one place. It keeps all state there: whoever asks anew finds the same.

    Every method raises BackendUnavailable when the place does not answer; then nothing is known and nothing was done,
    or it was done and the next look shows it.
    """

    @property
    def name(self) -> str:
        """`kubernetes`, `local` or `manual`."""
        ...

    def glideins(self) -> list[Glidein]:
        """All that exist, those included that ended or failed and were not removed yet."""
        ...

    def start(self, name: str, kind: NodeKind, *, warm: bool = False) -> None:
        """Ask for a glidein of this name. One that exists already is left as it is: two callers make one.

        Raises NodeRefused, with the cause, when the place says at once that it cannot be had.
        """
        ...

    def remove(self, names: Iterable[str]) -> None:
        """End what still runs of these, softly (jobs get their window), and clear them away; unknown names are none."""
        ...
