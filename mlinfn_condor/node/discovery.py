"""Devices that a machine really has, by HTCondor's own `condor_gpu_discovery`."""

import re
import subprocess
from pathlib import Path

from mlinfn_condor.node.devices import Device, model_of

_AD = re.compile(r"^(?P<name>\w+)=\[(?P<body>.*)\]\s*$")
_ATTRIBUTE = re.compile(r'(\w+)\s*=\s*(?:"([^"]*)"|([^;]+?))\s*;')
DISCOVERY_SECONDS = 30
"""A driver that hangs must not keep the pool from starting."""


def discover(condor_gpu_discovery: Path, *extra: str) -> tuple[Device, ...]:
    """GPUs and MIG slices of this machine; none where there is no driver, or where it does not answer in time."""
    try:
        printed = subprocess.run(
            [condor_gpu_discovery, "-properties", "-nested", *extra],
            capture_output=True,
            text=True,
            timeout=DISCOVERY_SECONDS,
            check=False,
        ).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ()
    return parse(printed)


def parse(printed: str) -> tuple[Device, ...]:
    """Devices from what `condor_gpu_discovery -properties -nested` printed."""
    ads = {match["name"]: _attributes(match["body"]) for match in map(_AD.match, printed.splitlines()) if match}
    common = ads.pop("Common", {})
    return tuple(_device({**common, **own}) for own in ads.values() if "id" in own)


def _attributes(body: str) -> dict[str, str]:
    return {name: text or bare for name, text, bare in _ATTRIBUTE.findall(body + ";")}


def _device(properties: dict[str, str]) -> Device:
    name = properties.get("DeviceName", "unknown GPU")
    return Device(
        kind="GPUs",
        id=properties["id"],
        model=model_of(name),
        name=name,
        memory_mb=int(float(properties.get("GlobalMemoryMb", "0"))),
        simulated=False,
    )
