"""What one more node would bring, of each kind that the site still lets be added: the pool tells it to everybody.

The provisioner puts it into the negotiator's configuration (condor_config.d/55), the negotiator into its ad.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlinfn_condor.pool.slots import DeviceKind

NOTHING = "none"


@dataclass(frozen=True)
class Addable:
    """One more node, as dask and batch would find it."""

    cpus: int
    """Of each device; on a node without devices, all that dask and batch may have."""
    memory_mb: int
    devices: int = 0
    kind: DeviceKind | None = None
    model: str = ""


def written(nodes: Iterable[Addable]) -> str:
    """As one word each, `gpu:4:8:16384:T4`, so that it fits into a line of configuration."""
    told = sorted(
        f"{one.kind or NOTHING}:{one.devices}:{one.cpus}:{one.memory_mb}:{one.model}" for one in dict.fromkeys(nodes)
    )
    return " ".join(told)


def read(told: str) -> list[Addable]:
    """What was written; a word that is not understood, as of a later version, says nothing."""
    return [node for word in told.split() for node in _read(word)]


def _read(word: str) -> Iterator[Addable]:
    kind, *numbers, model = word.split(":", 4) if word.count(":") >= 4 else ("", "")
    try:
        devices, cpus, memory_mb = (int(number) for number in numbers)
        yield Addable(cpus, memory_mb, devices, None if kind == NOTHING else DeviceKind(kind), model)
    except ValueError:
        return
