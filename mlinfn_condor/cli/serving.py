"""`mlinfn services …`: the product's own services under one runner."""

import json
import sys
import time
from dataclasses import asdict

import typer

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command(epilog="Example: mlinfn services run --only recorder --only schedules")
def run(
    only: list[str] | None = typer.Option(None, "--only", help="Service to run, may be repeated; default: all."),
    metrics_port: int | None = typer.Option(
        None, help="Tell Prometheus of the services at this port; 0: any free one."
    ),
    metrics_address: str = typer.Option("127.0.0.1", help="Address of that port: 0.0.0.0 for a Prometheus elsewhere."),
) -> None:
    """Run recorder, provisioner and the others until it is stopped; what ends is started again, ever more slowly."""
    from mlinfn_condor.backup.metrics import BackupCollector
    from mlinfn_condor.cli.backing_up import room
    from mlinfn_condor.errors import UserError
    from mlinfn_condor.provisioning.leading import FileLeader
    from mlinfn_condor.services import metrics
    from mlinfn_condor.services.known import chosen
    from mlinfn_condor.services.runner import Runner
    from mlinfn_condor.services.settings import ServicesSettings

    settings, services = ServicesSettings(), chosen(only or [])
    settings.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if not FileLeader(settings.lock).leads():
        raise UserError(f"a runner runs already: `mlinfn services status` ({settings.lock})")
    port = settings.metrics_port if metrics_port is None else metrics_port
    if port is not None:
        server = metrics.serve(settings.state, metrics_address, port, BackupCollector(lambda: room(None)))
        print(f"metrics at http://{metrics_address}:{server.server_port}/metrics", flush=True)
    Runner(services, settings.state).run()


@app.command(epilog="Example: mlinfn services status --json")
def status(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Say how the services do, also when their runner was killed. Exit code 1 unless all run."""
    from mlinfn_condor.services import state
    from mlinfn_condor.services.settings import ServicesSettings

    told = state.read(ServicesSettings().state)
    rows = state.seen(told)
    if as_json:
        services = [{**asdict(one), "state": true} for one, true in rows]
        print(json.dumps({"runner": {"pid": told.pid, "alive": told.alive}, "services": services}))
    else:
        now = time.time()
        print(f"runner {told.pid} {'runs' if told.alive else 'is gone: `mlinfn services run` starts them again'}")
        for one, true in rows:
            waits = f", starts again in {max(0.0, one.next_start - now):.0f} s" if true == "waiting" else ""
            end = f"; last end: {one.last_end}" if one.last_end else ""
            print(f"{one.name}: {true} for {now - one.since:.0f} s{waits}, {one.starts} starts{end}")
    if not told.alive or any(true != "running" for _, true in rows):
        sys.exit(1)
