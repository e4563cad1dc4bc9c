"""The devices that a flavor asks for, by OpenStack's name for them."""

import re
from collections import Counter
from collections.abc import Mapping

from mlinfn_condor.accounting.inventory.rows import MOST_DEVICES

ALIAS = "pci_passthrough:alias"
PROFILE = "accel:device_profile"
RESOURCE = re.compile(r"resources[A-Za-z0-9_-]*:(VGPU|PGPU|FPGA|CUSTOM_[A-Z0-9_]+)")
"""A resource class in one of the numbered groups or in none; what is no device (VCPU, MEMORY_MB) is not meant."""


def asked(extra_specs: Mapping[str, str]) -> Counter[str]:
    """How many of each PCI alias, resource class and device profile. Raises ValueError for a count that is none."""
    found: Counter[str] = Counter()
    for key, value in extra_specs.items():
        if key == ALIAS:
            for part in filter(None, map(str.strip, value.split(","))):
                name, colon, count = part.partition(":")
                found[name] += _count(key, count if colon else "1")
        elif key == PROFILE:
            found[value] += 1
        elif resource := RESOURCE.fullmatch(key):
            found[resource[1]] += _count(key, value)
    return +found


def _count(key: str, text: str) -> int:
    if not re.fullmatch(r"[0-9]{1,6}", text.strip()) or int(text) > MOST_DEVICES:
        raise ValueError(f"{key}: {text!r} is no count of devices up to {MOST_DEVICES}")
    return int(text)
