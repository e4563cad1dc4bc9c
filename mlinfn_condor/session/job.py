"""What a session knows of the job that it is: HTCondor tells it in environment variables and in two text files.

Standard library only: the session's start waits for this import, and ClassAd bindings would cost it as much again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_ASSIGNED = {"GPU": "_CONDOR_AssignedGPUs", "FPGA": "_CONDOR_AssignedFPGAs"}
_UNASSIGNED = "10000"
"""What HTCondor writes where no device is assigned, so that CUDA finds none."""
_ATTRIBUTE = re.compile(r'^(\w+) = "?([^"\n]*)"?$', re.MULTILINE)
_ADDRESS = re.compile(r"<(\[[0-9a-fA-F:]+\]|[0-9.]+):\d+")
_DEVICE_AD = re.compile(r"^(?:GPUs|FPGAs)_\w+ = \[(.*)\]$", re.MULTILINE)
_DEVICE_ATTRIBUTE = re.compile(r'(\w+) = (?:"([^"]*)"|(\w+))')


@dataclass(frozen=True)
class Device:
    """One accelerator that HTCondor assigned to the job."""

    id: str
    kind: str
    """GPU or FPGA."""
    model: str | None = None
    """As jobs ask for it (DeviceModel); None where the node does not tell."""
    simulated: bool = False

    @property
    def label(self) -> str:
        """What a person calls it; a simulated device always says so."""
        return ", ".join(word for word in (self.model or self.id, "simulated" if self.simulated else "") if word)


@dataclass(frozen=True)
class Job:
    """The job around this process. Outside HTCondor its id and node are None and it has no devices."""

    id: str | None
    node: str | None
    devices: tuple[Device, ...]
    address: str | None = None
    """IP address at which the pool reaches its execution point."""
    start: int | None = None
    """JobCurrentStartDate: which of the job's starts this is."""

    @classmethod
    def around(cls, environment: Mapping[str, str]) -> "Job":
        """Read what the starter left; what is missing there is left out, never an error."""
        job_ad, machine_ad = (_text(environment.get(name)) for name in ("_CONDOR_JOB_AD", "_CONDOR_MACHINE_AD"))
        job, machine = (dict(_ATTRIBUTE.findall(text)) for text in (job_ad, machine_ad))
        described = _described_devices(machine_ad)
        address = _ADDRESS.match(machine.get("MyAddress") or "")
        return cls(
            id=f"{job['ClusterId']}.{job['ProcId']}" if {"ClusterId", "ProcId"} <= job.keys() else None,
            # A slot is called slot1_3@nodea@host.
            node=machine["Name"].partition("@")[2] or machine["Name"] if "Name" in machine else None,
            devices=tuple(
                described.get(device, Device(device, kind))
                for kind, variable in _ASSIGNED.items()
                for device in re.split(r"[,\s]+", environment.get(variable, ""))
                if device not in {"", _UNASSIGNED}
            ),
            address=address[1].strip("[]") if address else None,
            start=int(date) if (date := job.get("JobCurrentStartDate", "")).isdecimal() else None,
        )


def _text(path: str | None) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace") if path else ""
    except OSError:
        return ""


def _described_devices(machine_ad: str) -> dict[str, Device]:
    devices = {}
    for line in _DEVICE_AD.finditer(machine_ad):
        told = {name.lower(): text or word for name, text, word in _DEVICE_ATTRIBUTE.findall(line[1])}
        if "id" in told:
            kind = "GPU" if line[0].startswith("GPU") else "FPGA"
            simulated = told.get("simulated", "").lower() == "true"
            devices[told["id"]] = Device(told["id"], kind, told.get("devicemodel"), simulated)
    return devices
