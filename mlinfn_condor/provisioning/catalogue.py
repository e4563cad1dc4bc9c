"""Which models of device there are, and which of them a wish takes: a wish is tried once a model, not once a node."""

from collections.abc import Iterable

from mlinfn_condor.pool import Device
from mlinfn_condor.provisioning.bins import Load, Model
from mlinfn_condor.provisioning.demand import Need
from mlinfn_condor.provisioning.nodes import NodeKind
from mlinfn_condor.submission.asks import Want


class Catalogue:
    """Devices of one model are taken to be alike. What nodes show of a model counts, else what its NodeKind says."""

    def __init__(self, seen: Iterable[Device], kinds: Iterable[NodeKind]) -> None:
        said = (device for kind in kinds if (device := _said(kind)))
        self._examples = {Model(device.kind, device.model): device for device in (*said, *seen)}
        self._suiting: dict[tuple[object, str], frozenset[Model]] = {}

    def suiting(self, want: Want) -> frozenset[Model]:
        """Models that the wish takes."""
        key = (want.kind, want.requirement)
        if key not in self._suiting:
            self._suiting[key] = frozenset(model for model, example in self._examples.items() if want.takes(example))
        return self._suiting[key]

    def load(self, need: Need) -> Load:
        """One job of the need, as bins see it."""
        ask = need.ask
        wants = tuple((want.count, self.suiting(want)) for want in ask.wants)
        return Load(ask.priority_class, need.project, ask.cpus, ask.memory_mb, wants)


def _said(kind: NodeKind) -> Device | None:
    if kind.device_kind is None:
        return None
    return Device(kind.device_kind, kind.model, "", properties={"DeviceModel": kind.model, **dict(kind.properties)})
