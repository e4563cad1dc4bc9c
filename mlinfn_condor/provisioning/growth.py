"""What the negotiator is told of nodes that can still be added: for those batch need not displace batch."""

from collections.abc import Iterable
from pathlib import Path

from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool.execution_points import ExecutionPoints

_TEXT = """\
# Written by the provisioner: models of device of which it can still add nodes (52-preempt-batch-for-fairness.conf).
MLINFN_GROWING_MODELS = {models}
"""


class Growth:
    """A file of HTCondor configuration that the negotiator reads last."""

    def __init__(self, file: Path, nodes: ExecutionPoints) -> None:
        self._file, self._nodes = file, nodes
        self._told: str | None = None

    def tell(self, models: Iterable[str]) -> bool:
        """Tell it, when it is another word than before. False: it could not be told, and the next turn tries again."""
        text = _TEXT.format(models=",".join(sorted(models)))
        try:
            if text == self._told:
                return True
            if not self._file.exists() or self._file.read_text() != text:
                draft = self._file.with_name(f".{self._file.name}.new")
                draft.write_text(text)
                draft.rename(self._file)
            self._nodes.reconfigure_negotiator()
        except (OSError, MlinfnError):
            return False
        self._told = text
        return True
