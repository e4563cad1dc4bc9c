"""A back end in memory, which does what a test says."""

from collections.abc import Iterable
from dataclasses import replace

from mlinfn_condor.provisioning.backends.protocol import BackendUnavailable, NodeRefused
from mlinfn_condor.provisioning.nodes import Glidein, NodeKind, Phase, Trouble


class TwinBackend:
    """Glideins of which nothing runs: they are asked for, and stay so until a test lets them begin or fail."""

    name = "twin"

    def __init__(self, now: float = 1_800_000_000.0) -> None:
        self.now = now
        self.away = False
        """While true it does not answer."""
        self.refuses: dict[str, NodeRefused] = {}
        """By kind: what is said to who asks for one."""
        self.removed: list[str] = []
        self._glideins: dict[str, Glidein] = {}

    def glideins(self) -> list[Glidein]:
        """See Backend."""
        self._answer()
        return list(self._glideins.values())

    def start(self, name: str, kind: NodeKind, *, warm: bool = False) -> None:
        """See Backend."""
        self._answer()
        if refusal := self.refuses.get(kind.name):
            raise refusal
        one = Glidein(name, kind.name, Phase.ASKED, self.now, uid=f"uid-{name}-{self.now}", warm=warm)
        self._glideins.setdefault(name, one)

    def remove(self, names: Iterable[str]) -> None:
        """See Backend."""
        self._answer()
        for name in names:
            if self._glideins.pop(name, None):
                self.removed.append(name)

    # --- what a place does ---

    def begin(self, name: str) -> None:
        """Its entrypoint runs."""
        self._change(name, phase=Phase.RUNNING, running_since=self.now)

    def end(self, name: str) -> None:
        """It leaves by itself."""
        self._change(name, phase=Phase.ENDED)

    def fail(self, name: str, trouble: Trouble, detail: str = "") -> None:
        """It comes to nothing."""
        self._change(name, phase=Phase.FAILED, trouble=trouble, detail=detail)

    def _change(self, name: str, **fields: object) -> None:
        self._glideins[name] = replace(self._glideins[name], **fields)  # type: ignore[arg-type]

    def _answer(self) -> None:
        if self.away:
            raise BackendUnavailable("the twin is away")
