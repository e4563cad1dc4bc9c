"""What the negotiator is told of nodes that can still be added: for those batch need not displace batch."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from mlinfn_condor import whole_files
from mlinfn_condor.errors import MlinfnError
from mlinfn_condor.pool import Addable
from mlinfn_condor.pool.addable import written
from mlinfn_condor.pool.execution_points import ExecutionPoints
from mlinfn_condor.provisioning.actions import Plan
from mlinfn_condor.provisioning.bins import Bare, Devices
from mlinfn_condor.provisioning.rooms import Lane

_TEXT = """\
# Written by the provisioner: models of device of which it can still add nodes (52-preempt-batch-for-fairness.conf).
MLINFN_GROWING_MODELS = {models}
# What one more of them would bring (55-tell-which-nodes-can-come.conf).
MLINFN_NODES_TO_COME = {nodes}
"""


class Growth:
    """A file of HTCondor configuration that the negotiator reads last."""

    def __init__(self, file: Path, nodes: ExecutionPoints) -> None:
        self._file, self._nodes = file, nodes
        self._told: str | None = None

    def tell(self, models: Iterable[str], nodes: Iterable[Addable] = ()) -> bool:
        """Tell it, when it is another word than before. False: it could not be told, and the next turn tries again."""
        text = _TEXT.format(models=",".join(sorted(models)), nodes=written(nodes))
        try:
            if text == self._told:
                return True
            if not self._file.exists() or self._file.read_text() != text:
                whole_files.replace(self._file, text)
            self._nodes.reconfigure_negotiator()
        except (OSError, MlinfnError):
            return False
        self._told = text
        return True


def nodes_to_come(decided: Plan) -> Iterator[Addable]:
    """What one more node of each kind that can still be added brings to dask and batch: that for which it is added."""
    for kind, room in decided.addable:
        if kind.offer not in decided.growing:
            continue
        match room.get(Lane.DEVICES if kind.devices else Lane.WORK):
            case Bare(cpus, memory_mb):
                yield Addable(cpus, memory_mb)
            case Devices(_, cpus, memory_mb):
                yield Addable(cpus, memory_mb, kind.devices, kind.device_kind, kind.model)
