"""What a user writes of his workers' devices, and the submit commands that it becomes."""

import re

from mlinfn_condor.errors import BadRequest
from mlinfn_condor.pool import DeviceKind
from mlinfn_condor.submission.requests import Devices

_FPGA = re.compile(r"U\d+[A-Z]?")
"""Alveo cards are called U50, U250, U55C; anything else is taken for a GPU, unless it is written `fpga:…`."""
_WISH = re.compile(r"(?:(?P<kind>gpu|fpga):)?(?:(?P<model>[A-Za-z][A-Za-z0-9_.-]*)(?::(?P<count>\d+))?|(?P<any>\d+))")


def wished(devices: str | int) -> Devices:
    """Read `A100:1`, `A100`, `2` (GPUs of any model), `fpga:1`, `fpga:U250:2`. Raises BadRequest."""
    found = _WISH.fullmatch(str(devices).strip())
    if found is None:
        raise BadRequest(f"devices is {devices!r}: write A100:1, U250:1, 2 for any two GPUs, or fpga:1")
    model = found["model"]
    kind = DeviceKind(found["kind"]) if found["kind"] else DeviceKind.GPU
    if model and not found["kind"] and _FPGA.fullmatch(model):
        kind = DeviceKind.FPGA
    return Devices(count=int(found["any"] or found["count"] or 1), kind=kind, model=model)


def directives(devices: Devices, project: str | None) -> dict[str, str]:
    """Submit commands, as `submit_templates/dask-worker.sub` has them."""
    commands: dict[str, str] = {}
    if devices.count:
        commands[f"request_{devices.kind}s"] = str(devices.count)
    if devices.count and devices.model:
        wish = f'DeviceModel == "{devices.model}"'
        commands |= {"require_gpus": wish} if devices.kind is DeviceKind.GPU else {"MY.RequireFPGAs": wish}
    if project:
        commands["MY.Project"] = f'"{project}"'
    return commands
