"""`mlinfn node …`: what a site runs on an execution node."""

import json
import os
import shutil
from dataclasses import asdict
from pathlib import Path

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.callback()
def node() -> None:
    """Commands for the machine they are typed on."""


@app.command(epilog="Example: mlinfn node selftest --seconds 60")
def selftest(
    seconds: float = typer.Option(20.0, min=2, help="How long to look at the devices."),
    look: float = typer.Option(5.0, min=0.5, help="MLINFN_METERING_LOOK_SECONDS of the site."),
    discovery: Path | None = typer.Option(None, help="condor_gpu_discovery, when it is not on PATH."),
    as_json: bool = typer.Option(False, "--json", help="A JSON list instead of lines."),
) -> None:
    """Does the meter see this node's real GPUs, can its energy be believed, what does a look cost? Exit code 1: no."""
    from mlinfn_condor.embedded import distribution
    from mlinfn_condor.metering import node_drivers
    from mlinfn_condor.metering.selftest import examine
    from mlinfn_condor.node.discovery import discover
    from mlinfn_condor.settings import Settings

    if discovery is None:
        installed = distribution.find(Settings())
        found = shutil.which("condor_gpu_discovery") or (installed and installed.libexec / "condor_gpu_discovery")
        if not found:
            raise UserError("no condor_gpu_discovery here: install HTCondor, or name it with --discovery")
        discovery = Path(found)
    devices = discover(discovery)
    if not devices:
        raise UserError(f"{discovery} finds no device on this node: is the driver loaded (nvidia-smi)?")
    findings = examine(devices, node_drivers.drivers(devices, os.getppid()), look, seconds)
    if as_json:
        print(json.dumps([asdict(finding) for finding in findings], indent=1))
    else:
        for finding in findings:
            print(f"{finding.verdict:7}  {finding.subject}  {finding.what}: {finding.told}")
    if any(finding.verdict == "wrong" for finding in findings):
        raise typer.Exit(1)
