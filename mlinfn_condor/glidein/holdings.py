"""What a glidein has to give, checked against what it should have: pure, from sizes and devices to a node."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace

from mlinfn_condor.glidein.cgroup import Sizes
from mlinfn_condor.glidein.orders import Orders
from mlinfn_condor.glidein.outcome import Exit, GlideinFailed
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device

LEAST_MB = 128
"""Of memory for payloads; with less no slot can be laid out."""


def node(orders: Orders, sizes: Sizes, reserve_mb: int, devices: Iterable[Device]) -> Node:
    """The node that the startd offers; `reserve_mb` is what its own daemons need of a container's memory.

    Raises GlideinFailed (STARTUP) when the devices are not the ones it should have: a node that offers less than it was
    asked for would be asked for again and again, and one that offers more takes what is another's.
    """
    memory_mb = sizes.memory_mb - reserve_mb
    if memory_mb < LEAST_MB:
        raise GlideinFailed(
            Exit.STARTUP, f"{sizes.memory_mb} MB of memory are too few: {reserve_mb} are for the daemons themselves"
        )
    found = tuple(devices)
    if orders.devices is not None:
        if not orders.devices:
            found = ()
        _check(orders.devices, found)
    return Node(orders.name, sizes.cpus, memory_mb, found)


def described(orders: Orders, description: Node) -> Node:
    """A node with simulated devices, as it is described; only real ones may be called real."""
    real = [device.id for device in description.devices if not device.simulated]
    if real:
        raise GlideinFailed(
            Exit.STARTUP, f"{orders.description}: {real[0]} is not simulated; leave the description out"
        )
    if orders.devices is not None:
        _check(orders.devices, description.devices)
    return replace(description, name=orders.name, stands_for=description.stands_for or "a simulated node")


def _check(wanted: Mapping[str, int], devices: Iterable[Device]) -> None:
    has = Counter(device.model for device in devices)
    if has != Counter(wanted):
        raise GlideinFailed(
            Exit.STARTUP,
            f"this glidein should have {_told(wanted)} and has {_told(has)} in view: drivers, device plugin?",
        )


def _told(devices: Mapping[str, int]) -> str:
    return ", ".join(f"{count} {model}" for model, count in sorted(devices.items())) or "no device"
