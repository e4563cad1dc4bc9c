"""FPGAs: their power, where the kernel's sensors or the vendor's `xbutil` tell it. Nothing tells their utilisation."""

import json
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from mlinfn_condor.metering.look import Look

_PCI_ADDRESS = re.compile(r"(?:[0-9a-f]{4}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", re.IGNORECASE)
_SENSORS = ("power1_input", "power1_average")
"""Of hwmon, in microwatts."""
XBUTIL_SECONDS = 20
"""A card that hangs must not keep the others from being read."""
XBUTIL_EVERY_SECONDS = 120
"""xbutil starts a process and talks to the card's controller: too dear for each look."""
NO_UTILISATION = "nothing tells the utilisation of an FPGA"


class FpgaDriver:
    """Reads FPGAs whose id in the node's description holds their PCI address (`FPGA-0000:3b:00.1`)."""

    def __init__(self, sysfs: Path = Path("/sys"), xbutil: str | None = None) -> None:
        self._sysfs, self._xbutil = sysfs, xbutil
        self._asked: dict[str, tuple[float, float | None]] = {}

    def look(self, ids: Sequence[str], at: float) -> Mapping[str, Look]:
        """One look at each."""
        return {one: self._look(one, at) for one in ids}

    def _look(self, one: str, at: float) -> Look:
        match = _PCI_ADDRESS.search(one)
        if match is None:
            return Look(at, reasons=(NO_UTILISATION, f"power: {one} names no PCI address"))
        address = match[0] if match[0].count(":") == 2 else f"0000:{match[0]}"
        device = self._sysfs / "bus/pci/devices" / address.lower()
        if not device.exists():
            return Look(at, "broken", (f"the PCI bus has no {address}",))
        watts = _hwmon(device)
        if watts is None:
            watts = self._by_xbutil(address, at)
        missing = () if watts is not None else ("power: no hwmon sensor and no answer from xbutil",)
        return Look(at, "ok", (NO_UTILISATION, *missing), power_watts=watts)

    def _by_xbutil(self, address: str, at: float) -> float | None:
        if self._xbutil is None:
            return None
        asked, told = self._asked.get(address, (float("-inf"), None))
        if at - asked >= XBUTIL_EVERY_SECONDS:
            told = _examine(self._xbutil, address)
            self._asked[address] = at, told
        return told


def _hwmon(device: Path) -> float | None:
    for sensor in sorted(path for name in _SENSORS for path in device.glob(f"hwmon/hwmon*/{name}")):
        try:
            return int(sensor.read_text()) / 1e6
        except (OSError, ValueError):
            continue
    return None


def _examine(xbutil: str, address: str) -> float | None:
    with tempfile.TemporaryDirectory() as folder:
        told = Path(folder) / "electrical.json"
        command = [xbutil, "examine", "--device", address, "--report", "electrical", "--format", "JSON"]
        try:
            subprocess.run([*command, "--output", told], capture_output=True, timeout=XBUTIL_SECONDS, check=True)
            return _power(json.loads(told.read_text()))
        except (OSError, subprocess.SubprocessError, ValueError):
            return None


def _power(told: Any) -> float | None:
    """The first `power_consumption_watts` anywhere in the report."""
    if isinstance(told, dict):
        if "power_consumption_watts" in told:
            match = re.match(r"\s*([\d.]+)", str(told["power_consumption_watts"]))
            return float(match[1]) if match else None
        told = list(told.values())
    found = (_power(inner) for inner in told) if isinstance(told, list) else ()
    return next((watts for watts in found if watts is not None), None)
