"""The two servers of the requirement, and the devices of this machine among them.

Server sizes and devices: ML_INFN platform proposal, section "Motivation".
"""

from collections.abc import Iterable
from dataclasses import replace

from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device, Kind

GIB = 1024


def _simulated(kind: Kind, node: str, model: str, count: int, memory_mb: int) -> tuple[Device, ...]:
    prefix = kind.removesuffix("s")
    return tuple(
        Device(kind, f"{prefix}-{node}-{model}-{n}", model, f"Simulated {model}", memory_mb, simulated=True)
        for n in range(count)
    )


SERVER1 = Node(
    name="server1",
    cpus=64,
    memory_mb=750 * GIB,
    devices=(
        *_simulated("GPUs", "server1", "T4", 8, 15 * GIB),
        *_simulated("GPUs", "server1", "RTX5000", 5, 16 * GIB),
    ),
    stands_for="server 1 of ML_INFN, simulated",
)
SERVER2 = Node(
    name="server2",
    cpus=128,
    memory_mb=1024 * GIB,
    devices=(
        *_simulated("GPUs", "server2", "A30", 1, 24 * GIB),
        *_simulated("GPUs", "server2", "A100", 2, 40 * GIB),
        *_simulated("FPGAs", "server2", "U50", 2, 8 * GIB),
        *_simulated("FPGAs", "server2", "U250", 1, 64 * GIB),
    ),
    stands_for="server 2 of ML_INFN, simulated",
)


def with_real_devices(nodes: Iterable[Node], real: Iterable[Device]) -> tuple[Node, ...]:
    """The nodes with this machine's own devices: each replaces a simulated one of its model, or joins the first node.

    The number of devices of a model never falls, and a simulated device is only ever replaced, never renamed.
    """
    nodes = tuple(nodes)
    placed = [[*node.devices] for node in nodes]
    for device in real:
        for devices in placed:
            twins = [
                n for n, d in enumerate(devices) if d.simulated and (d.kind, d.model) == (device.kind, device.model)
            ]
            if twins:
                devices[twins[0]] = device
                break
        else:
            placed[0].append(device)
    return tuple(replace(node, devices=tuple(devices)) for node, devices in zip(nodes, placed, strict=True))
