"""Two nodes with the same devices: a session takes the idle one and leaves the training on the other alone."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from driver import Driver, cleared, wait_until

from mlinfn_condor.classes import PriorityClass
from mlinfn_condor.embedded import lifecycle
from mlinfn_condor.embedded.blueprint import Blueprint
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device
from mlinfn_condor.settings import Settings


def node(name: str) -> Node:
    devices = (Device("GPUs", f"GPU-{name}-{n}", "T4", "Simulated T4", 15360, simulated=True) for n in range(2))
    return Node(name, 16, 65536, tuple(devices))


@pytest.fixture
def twins(pool_home: Path, tmp_path: Path) -> Iterator[Driver]:
    settings = Settings(home=pool_home, pool="twins")
    blueprint = Blueprint((node("left"), node("right")), use_real_devices=False, overrides="UPDATE_INTERVAL = 1\n")
    with cleared(Driver(lifecycle.up(settings, blueprint=blueprint), tmp_path)) as driver:
        yield driver
    lifecycle.down(settings, graceful_seconds=0)


@pytest.mark.parametrize("full", ["left", "right"])
def test_a_session_goes_where_a_device_idles(twins: Driver, full: str) -> None:
    batch = twins.submit(count=2, request_gpus=1, requirements=f'regexp("@{full}@", TARGET.Name)')
    for payload in batch:
        payload.wait_for("computing", 60)
    on_full = f'MlinfnOffer == "session" && MlinfnIdleDevices == 0 && regexp("@{full}@", Name)'
    wait_until(lambda: twins.slots(on_full), 60, "the full node to say so")

    (session,) = twins.submit(PriorityClass.INTERACTIVE, request_gpus=1)
    (device,) = session.wait_for("computing", 30).devices

    assert full not in device
    assert not any(payload.has("asked-to-leave") for payload in batch)
