"""`mlinfn accounting …`: record who used what."""

import json
import os
from contextlib import suppress
from pathlib import Path

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

DSN = typer.Option(None, "--dsn", help="Database to write to; default: $MLINFN_DATABASE, else the private one.")
STARTS = typer.Option(None, "--starts", help="The hub's starts.jsonl; default: that of the embedded pool.")
EVENTS = typer.Option(None, "--events", help="The provisioner's glideins.jsonl; default: that of the embedded pool.")
SPOOL = typer.Option(None, "--spool", help="ACCESS_POINT=FOLDER with its histories (batch@=/var/lib/condor/spool).")


@app.callback()
def accounting() -> None:
    """Histories, slots and readings of the pool, into PostgreSQL."""


@app.command(epilog="Example: mlinfn accounting record --once")
def record(
    once: bool = typer.Option(False, "--once", help="One turn, then end."),
    dsn: str | None = DSN,
    spool: list[str] | None = SPOOL,
    starts: Path | None = STARTS,
    events: Path | None = EVENTS,
) -> None:
    """Record what ran and what runs, until it is stopped. Any number may run; each record is stored once."""
    from mlinfn_condor.accounting import journals
    from mlinfn_condor.accounting.service import Service
    from mlinfn_condor.accounting.settings import AccountingSettings
    from mlinfn_condor.cli.connection import connect as pool
    from mlinfn_condor.store import migrate
    from mlinfn_condor.store.errors import DatabaseNewer
    from mlinfn_condor.store.local import RECORDER
    from mlinfn_condor.store.site import dsn_of_site

    settings = AccountingSettings()
    journals_alone = bool(starts or events or settings.starts or settings.events)
    spools = _spools(spool or []) or settings.spools or ({} if journals_alone else _of_embedded_pool())
    service = Service(
        dsn_of_site(dsn, role=RECORDER),
        lambda: pool().pool,
        spools,
        settings,
        {
            journals.STARTS: starts or settings.starts or _journal_of_embedded_hub(),
            journals.EVENTS: events or settings.events or _journal_of_embedded_provisioner(),
        },
    )
    if once:
        if dsn is None:
            with suppress(DatabaseNewer):  # The version before works with it: docs/upgrading.md.
                migrate(dsn_of_site())
        service.once()
        print("recorded: `mlinfn accounting status` tells how far, `mlinfn report` what it says")
    else:
        service.run()


@app.command(epilog="Example: mlinfn accounting status --json")
def status(
    dsn: str | None = DSN,
    as_json: bool = typer.Option(False, "--json", help="A JSON list instead of lines."),
) -> None:
    """How far the histories have been read, and what could not be understood in them."""
    from mlinfn_condor.accounting.statements import SQL
    from mlinfn_condor.store import connect
    from mlinfn_condor.store.local import REPORTS
    from mlinfn_condor.store.site import dsn_of_site

    with connect(dsn_of_site(dsn, role=REPORTS)) as connection:
        rows = connection.execute(SQL.text("tell_progress")).fetchall()
    names = ("access_point", "kind", "files", "records", "refused", "read_at")
    if as_json:
        print(json.dumps([dict(zip(names, row, strict=True)) for row in rows], default=str))
        return
    for access_point, kind, files, records, refused, read_at in rows:
        doubt = f", {refused} of them not understood (mlinfn.refused_record)" if refused else ""
        told = f"{records:,} records of {files} files{doubt}; last at {read_at:%Y-%m-%d %H:%M:%S} UTC"
        print(f"{access_point} {kind}: {told}")
    if not rows:
        print("nothing has been recorded yet: `mlinfn accounting record` does it")


@app.command(epilog="Example: mlinfn accounting metrics --port 9819")
def metrics(
    address: str = typer.Option("127.0.0.1", help="Where to listen. It asks nobody who he is: keep it off the world."),
    port: int | None = typer.Option(
        None, min=0, max=65535, help="0: any free one; default: $MLINFN_ACCOUNTING_METRICS_PORT, else 9819."
    ),
    users: bool = typer.Option(False, "--users", help="Priorities of people too, not of groups alone."),
    dsn: str | None = typer.Option(
        None, "--dsn", help="Database to read; default: $MLINFN_DATABASE, else the private one."
    ),
) -> None:
    """Serve the reports' figures, live, to Prometheus, until it is stopped. It changes nothing anywhere."""
    from mlinfn_condor.accounting.metrics.exporter import exporter_of_site
    from mlinfn_condor.accounting.metrics.serving import serve
    from mlinfn_condor.accounting.settings import AccountingSettings
    from mlinfn_condor.store.local import REPORTS
    from mlinfn_condor.store.site import dsn_of_site

    settings = AccountingSettings()
    exporter = exporter_of_site(settings, lambda: dsn_of_site(dsn, role=REPORTS), _lead_to_pool, users=users)
    chosen = settings.metrics_port if port is None else port
    serve(exporter, address, chosen, lambda url: print(f"metrics at {url}", flush=True))


@app.command(epilog="Example: mlinfn accounting dashboards /srv/grafana")
def dashboards(folder: Path = typer.Argument(help="Where to write; made if it is not there.")) -> None:
    """Write out Grafana's dashboards and Prometheus' alarms."""
    from mlinfn_condor.accounting.dashboards import write

    for path in write(folder):
        print(path)


def _lead_to_pool() -> None:
    """Let this process and its children find the pool: CONDOR_CONFIG's, else the embedded one if it is up."""
    if "CONDOR_CONFIG" in os.environ:
        return
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.settings import Settings

    settings = Settings()
    os.environ.update(lifecycle.running(settings).environment(settings.user))


def _spools(given: list[str]) -> dict[str, Path]:
    spools = {}
    for word in given:
        access_point, equals, folder = word.partition("=")
        if not equals or not access_point or not Path(folder).is_dir():
            raise UserError(f"--spool {word}: wanted is ACCESS_POINT=FOLDER, and the folder has to be there")
        spools[access_point] = Path(folder)
    return spools


def _journal_of_embedded_hub() -> Path:
    from mlinfn_condor.embedded.layout import Layout
    from mlinfn_condor.hub.local.layout import HubLayout
    from mlinfn_condor.settings import Settings

    return HubLayout(Layout(Settings().pool_folder)).starts


def _journal_of_embedded_provisioner() -> Path:
    from mlinfn_condor.embedded.layout import Layout
    from mlinfn_condor.settings import Settings

    return Layout(Settings().pool_folder).glidein_journal


def _of_embedded_pool() -> dict[str, Path]:
    from mlinfn_condor.embedded.layout import Layout
    from mlinfn_condor.settings import Settings

    layout = Layout(Settings().pool_folder)
    if not layout.folder.is_dir():
        raise UserError("there is no embedded pool here: name the access points' folders with --spool")
    return layout.spools
