"""The accelerators of a node, as the startd's inventory needs them."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Literal

Kind = Literal["GPUs", "FPGAs"]
"""HTCondor's resource tag of a device; the job side is `RequestGPUs` or `RequestFPGAs`."""

_VENDOR_WORDS = re.compile(r"\b(NVIDIA|Tesla|Quadro|GeForce|GRID|Xilinx|AMD|Alveo|Simulated)\b", re.IGNORECASE)
_FORM_FACTORS = re.compile(r"-(PCIE|SXM\d*|NVL|HBM\w*|PG\d*\w*|\d+GB)", re.IGNORECASE)
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")


@dataclass(frozen=True)
class Device:
    """One device, or one MIG slice, that a job can hold alone."""

    kind: Kind
    id: str
    """Unique in the pool; of the form that the job sees in `_CONDOR_AssignedGPUs`, such as `GPU-1b2c3d4e`."""
    model: str
    """Short name without spaces (`T4`, `A100`, `A100-1g.5gb`): what users choose by, the property `DeviceModel`."""
    name: str
    """The vendor's own name, for people."""
    memory_mb: int
    simulated: bool
    owner: str | None = None
    """Project that paid for the device and comes first on it."""


def model_of(device_name: str) -> str:
    """Model from a vendor's device name: `NVIDIA A100-PCIE-40GB MIG 1g.5gb` -> `A100-1g.5gb`.

    Slot types choose devices by this name in an expression that may hold no space.
    """
    name, _, slice_profile = device_name.partition(" MIG ")
    name = _FORM_FACTORS.sub("", _VENDOR_WORDS.sub("", name)).replace(" ", "")
    return _UNSAFE.sub("", f"{name}-{slice_profile}" if slice_profile else name) or "unknown"


def models(devices: Iterable[Device]) -> Iterator[tuple[Kind, str, int]]:
    """Each (kind, model) with its number of devices, in order of first appearance."""
    counts: dict[tuple[Kind, str], int] = {}
    for device in devices:
        counts[device.kind, device.model] = counts.get((device.kind, device.model), 0) + 1
    for (kind, model), count in counts.items():
        yield kind, model, count
