"""FPGA cards that a container may use: on the PCI bus with a driver of AMD's, and with a device file in view.

The bus shows a container every card of the machine; which ones are its own, only the device files tell, which the
device plugin puts into it.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from mlinfn_condor.node.devices import Device

DRIVERS = ("xocl", "amdgpu-xdna", "xclmgmt")
_BOARD = re.compile(r"xilinx_([a-z]+\d+[a-z]*)", re.IGNORECASE)
UNKNOWN_MB = 0


def discover(sysfs: Path = Path("/sys"), dev: Path = Path("/dev")) -> tuple[Device, ...]:
    """The FPGAs; the id holds the PCI address, by which the meter finds the card's sensors."""
    return tuple(_found(sysfs, dev))


def _found(sysfs: Path, dev: Path) -> Iterator[Device]:
    for driver in DRIVERS:
        for card in sorted((sysfs / "bus/pci/drivers" / driver).glob("*:*:*.*")):
            nodes = [dev / "dri" / node.name for node in (card / "drm").glob("renderD*")]
            if any(node.exists() for node in nodes):
                model = _model(card)
                yield Device("FPGAs", f"FPGA-{card.name}", model, f"FPGA {model}", UNKNOWN_MB, simulated=False)


def _model(card: Path) -> str:
    """`U50` of a shell called `xilinx_u50_gen3x16_xdma_base_5`, which the driver tells in a file VBNV."""
    for told in sorted(card.glob("rom*/VBNV")) + sorted(card.glob("VBNV")):
        match = _BOARD.search(told.read_text(errors="replace"))
        if match:
            return match[1].upper()
    return "unknown"
