"""The slots of a node, as HTCondor configuration: pure, from a description to text.

Invariants, whatever the node's devices:
- every device belongs to exactly one primary slot (sessions) and to the one backfill slot (everything else), so that
  the startd itself reckons which opportunistic payload a session displaces;
- the memory and CPUs of all device shapes, of the device-less slots and of the hand-over reserve never exceed the
  node's: a session and the payload it displaces fit side by side. The sizes themselves are macros of
  `condor_config.d/61-size-slots.conf`, so that a site changes them in one place. A site may over-commit CPUs of
  sessions; memory never.

`docs/decisions/0002-hand-over.md` tells why the layout is this one, with its measurements.
"""

from collections.abc import Iterator

from mlinfn_condor.node.description import Node
from mlinfn_condor.node.devices import models

MAX_SLOT_TYPES_DEFAULT = 10


def render(node: Node) -> str:
    """Configuration of one node's startd; every count is a number of devices, every size a macro."""
    groups = list(models(node.devices))
    kinds = sorted({kind for kind, _, _ in groups})
    lines = [
        f"MLINFN_NODE_CPUS = {node.cpus}",
        f"MLINFN_NODE_MEMORY_MB = {node.memory_mb}",
        f"MLINFN_NODE_DEVICES = {len(node.devices)}",
        f"MLINFN_NODE_STANDS_FOR = {_string(node.stands_for)}",
        "NUM_CPUS = $(MLINFN_OFFERED_CPUS)",
        f"MEMORY = {node.memory_mb}",
        f"MLINFN_SLOT_DISK_PERCENT = {100 // (len(groups) + 2)}",
        f"MAX_SLOT_TYPES = {max(MAX_SLOT_TYPES_DEFAULT, len(groups) + 4)}",
        "",
    ]
    number = 0
    for number, (kind, model, count) in enumerate(groups, start=1):
        others = "".join(f" {other}=0" for other in kinds if other != kind)
        # $INT() takes the name of a macro, not an expression.
        lines += [
            f"MLINFN_SLOT_{number}_CPUS = {count} * $(MLINFN_SESSION_DEVICE_CPUS)",
            f"MLINFN_SLOT_{number}_MEMORY_MB = {count} * $(MLINFN_DEVICE_MEMORY_MB)",
        ]
        sizes = f"cpus=$INT(MLINFN_SLOT_{number}_CPUS) memory=$INT(MLINFN_SLOT_{number}_MEMORY_MB)"
        lines += _slot(number, f'{kind}={count}:DeviceModel=="{model}"{others} {sizes}', "session")
    none = "".join(f" {kind}=0" for kind in kinds)
    lines += _slot(number + 1, f"cpus=$(MLINFN_SESSION_BARE_CPUS) memory=$(MLINFN_BARE_MEMORY_MB){none}", "session")
    lines += _slot(number + 2, f"cpus=$(MLINFN_BARE_CPUS) memory=$(MLINFN_BARE_MEMORY_MB){none}", "work")
    if groups:
        everything = "".join(f" {kind}=100%" for kind in kinds)
        lines += _slot(number + 3, f"cpus=100% memory=100%{everything}", "opportunistic")
        lines.append(f"MLINFN_BACKFILL_SLOT = {number + 3}")
    return "\n".join(lines) + "\n"


def _slot(number: int, resources: str, offer: str) -> Iterator[str]:
    disk = "100%" if offer == "opportunistic" else "$(MLINFN_SLOT_DISK_PERCENT)%"
    yield f"SLOT_TYPE_{number} = {resources} disk={disk} swap={disk}"
    yield f"NUM_SLOTS_TYPE_{number} = 1"
    yield f"SLOT_TYPE_{number}_PARTITIONABLE = True"
    yield f'SLOT_TYPE_{number}_MlinfnOffer = "{offer}"'
    if offer == "session":
        # START and `why` compare a session's wish with the shape of its own slot, which may be over-committed.
        yield f"SLOT_TYPE_{number}_MlinfnDeviceCpus = $(MLINFN_SESSION_DEVICE_CPUS)"
        # Without it a partitionable slot serves one submitter per negotiation cycle: a burst would wait in line.
        yield f"SLOT_TYPE_{number}_CONSUMPTION_POLICY = True"
    if offer == "opportunistic":
        yield f"SLOT_TYPE_{number}_BACKFILL = True"
    yield ""


def _string(text: str) -> str:
    return '"' + text.replace("\\", "").replace('"', "") + '"'
