"""Devices, inventories and slot layouts: pure functions of a node's description."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlinfn_condor.embedded.servers import SERVER1, SERVER2, with_real_devices
from mlinfn_condor.node import discovery, inventory, slots
from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device, Kind, model_of, models

DISCOVERED = """\
DetectedGPUs="GPU-a0223334, MIG-5fc2a91b"
Common=[ Capability=8.0; DriverVersion=12.40; ECCEnabled=true; ]
GPU_a0223334=[ id="GPU-a0223334"; DeviceName="NVIDIA A100-PCIE-40GB"; GlobalMemoryMb=40326; DeviceUuid="a0223334"; ]
MIG_5fc2a91b=[ id="MIG-5fc2a91b"; DeviceName="NVIDIA A100-SXM4-40GB MIG 1g.5gb"; GlobalMemoryMb=4864; ]
"""


def device(kind: Kind, model: str, number: int, *, simulated: bool = True) -> Device:
    return Device(kind, f"{kind[:-1]}-{model}-{number}", model, f"Some {model}", 1024, simulated)


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("Tesla T4", "T4"),
        ("Quadro RTX 5000", "RTX5000"),
        ("NVIDIA A30", "A30"),
        ("NVIDIA A100-PCIE-40GB", "A100"),
        ("NVIDIA A100-SXM4-40GB MIG 1g.5gb", "A100-1g.5gb"),
        ("NVIDIA H100 NVL", "H100NVL"),
        ("Xilinx Alveo U250", "U250"),
        ('weird "name" $(X)', "weirdnameX"),
        ("", "unknown"),
    ],
)
def test_a_vendors_name_becomes_a_model_without_spaces(name: str, model: str) -> None:
    assert model_of(name) == model


def test_discovery_knows_whole_gpus_and_mig_slices() -> None:
    whole, mig = discovery.parse(DISCOVERED)
    assert (whole.id, whole.model, whole.memory_mb, whole.simulated) == ("GPU-a0223334", "A100", 40326, False)
    assert (mig.id, mig.model) == ("MIG-5fc2a91b", "A100-1g.5gb")


@pytest.mark.parametrize("printed", ["", "DetectedGPUs=0\n", "Segmentation fault\n"])
def test_discovery_of_nothing_is_nothing(printed: str) -> None:
    assert discovery.parse(printed) == ()


def test_a_machine_without_the_discovery_program_has_no_devices() -> None:
    assert discovery.discover(Path("/nonexistent/condor_gpu_discovery")) == ()


def test_a_real_device_replaces_a_simulated_one_of_its_model() -> None:
    real = device("GPUs", "T4", 99, simulated=False)
    server1, server2 = with_real_devices((SERVER1, SERVER2), [real])
    assert real in server1.devices
    assert len(server1.devices) == len(SERVER1.devices)
    assert server2 == SERVER2


def test_a_real_device_of_another_model_joins_the_first_node() -> None:
    real = device("GPUs", "H100", 0, simulated=False)
    server1, _ = with_real_devices((SERVER1, SERVER2), [real])
    assert server1.devices == (*SERVER1.devices, real)


def test_more_real_devices_than_simulated_ones_are_all_kept() -> None:
    real = [device("GPUs", "A30", n, simulated=False) for n in range(3)]
    servers = with_real_devices((SERVER1, SERVER2), real)
    assert [d for server in servers for d in server.devices if d.model == "A30"] != []
    assert {d for server in servers for d in server.devices if not d.simulated} == set(real)


def test_a_description_survives_its_file(tmp_path: Path) -> None:
    SERVER2.write(tmp_path / "node.json")
    assert Node.read(tmp_path / "node.json") == SERVER2


def test_the_inventory_lists_only_its_kind() -> None:
    lines = inventory.inventory(SERVER2.devices, "FPGAs").splitlines()
    assert lines[0] == 'DetectedFPGAs="FPGA-server2-U50-0, FPGA-server2-U50-1, FPGA-server2-U250-0"'
    assert len(lines) == 2 + 3
    assert all("Simulated=true" in line for line in lines[2:])


def test_a_node_without_devices_says_zero() -> None:
    assert inventory.inventory((), "GPUs") == "DetectedGPUs=0\n"


devices = st.lists(
    st.tuples(st.sampled_from(["GPUs", "FPGAs"]), st.sampled_from(["T4", "A100", "U50"])), max_size=12
).map(lambda drawn: tuple(device(kind, model, n) for n, (kind, model) in enumerate(drawn)))


@given(devices)
def test_every_device_is_in_one_session_slot_and_in_the_backfill_slot(drawn: tuple[Device, ...]) -> None:
    layout = slots.render(Node("n", 64, 65536, drawn))
    for kind, model, count in models(drawn):
        assert layout.count(f'{kind}={count}:DeviceModel=="{model}"') == 1
    assert layout.count('MlinfnOffer = "session"') == len(list(models(drawn))) + 1
    assert layout.count('MlinfnOffer = "work"') == 1
    assert layout.count("_BACKFILL = True") == (1 if drawn else 0)


def test_a_description_cannot_smuggle_configuration() -> None:
    assert 'MLINFN_NODE_STANDS_FOR = "a b"' in slots.render(Node("n", 1, 1, (), stands_for='a" b"'))
