"""Inventory script of the startd: prints a node's devices as `condor_gpu_discovery -properties -nested` would.

The startd runs it once per resource tag at start (`MACHINE_RESOURCE_INVENTORY_GPUs`). Standard library only and few
imports: a node waits for it. The device ids, not indices, are what the slots bind and what a job sees.
"""

import sys
from pathlib import Path

from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import Device, Kind


def inventory(devices: tuple[Device, ...], kind: Kind) -> str:
    """ClassAd lines for one resource tag; `DetectedGPUs=0` when the node has none."""
    mine = [device for device in devices if device.kind == kind]
    if not mine:
        return f"Detected{kind}=0\n"
    ids = ", ".join(device.id for device in mine)
    lines = [f'Detected{kind}="{ids}"', "Common=[ ]"]
    lines += [f"{_ad_name(device)}=[ {_properties(device)} ]" for device in mine]
    return "\n".join(lines) + "\n"


def _ad_name(device: Device) -> str:
    return "".join(c if c.isalnum() else "_" for c in device.id)


def _properties(device: Device) -> str:
    properties = [
        f'id="{device.id}"',
        f'DeviceModel="{device.model}"',
        f'DeviceName="{device.name}"',
        f"GlobalMemoryMb={device.memory_mb}",
        f"Simulated={str(device.simulated).lower()}",
    ]
    if device.owner:
        properties.append(f'OwnerProject="{device.owner}"')
    return "; ".join(properties)


def main() -> None:
    """`python -m mlinfn_condor.node.inventory NODE.json GPUs|FPGAs`."""
    path, kind = sys.argv[1:]
    if kind not in ("GPUs", "FPGAs"):
        sys.exit(f"inventory: unknown resource {kind}: GPUs or FPGAs")
    sys.stdout.write(inventory(Node.read(Path(path)).devices, "GPUs" if kind == "GPUs" else "FPGAs"))


if __name__ == "__main__":
    main()
