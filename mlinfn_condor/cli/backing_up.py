"""`mlinfn backup …`: homes, database, queues and configuration, kept elsewhere and brought back."""

import json
import os
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import UserError

if TYPE_CHECKING:
    from mlinfn_condor.backup.platform import Platform
    from mlinfn_condor.backup.restic import Restic
    from mlinfn_condor.backup.running import Room
    from mlinfn_condor.backup.settings import BackupSettings
    from mlinfn_condor.embedded.report import Report

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)
VARIABLE = "MLINFN_STORAGE"
FILE = typer.Option(
    None, "--settings", help="TOML with a section [backup]; default: $MLINFN_STORAGE, else storage.toml in MLINFN_HOME."
)
JSON = typer.Option(False, "--json", help="For programs.")
SNAPSHOT = typer.Option("latest", "--snapshot", help="Which backup, as `mlinfn backup list` names it.")


@app.command(epilog="Example: mlinfn backup run")
def run(settings: Path | None = FILE, as_json: bool = JSON) -> None:
    """Back up now, and let go of backups past their time. Exit code 1 when files could not be read."""
    from mlinfn_condor.backup import running

    report = _report(quiet=as_json)
    platform, restic, chosen, room = _opened(settings, report)
    running.nice()
    made = running.run(platform, restic, chosen, room, report)
    if as_json:
        print(json.dumps(asdict(made)))
        return
    size, new = _megabytes(made.bytes), _megabytes(made.added_bytes)
    print(f"backup {made.snapshot[:8]}: {made.files:,} files, {size}; {made.read:,} read, new {new}")


@app.command("list", epilog="Example: mlinfn backup list")
def list_(settings: Path | None = FILE, as_json: bool = JSON) -> None:
    """The backups of this site, the oldest first."""
    platform, restic, _, _ = _opened(settings, _report(quiet=True))
    found = restic.snapshots(platform.name)
    if as_json:
        print(json.dumps([each.model_dump() for each in found]))
        return
    for each in found:
        files = each.summary.get("total_files_processed", 0)
        size, new = each.summary.get("total_bytes_processed", 0), each.summary.get("data_added_packed", 0)
        when = each.time[:16].replace("T", " ")
        print(f"{each.short_id}  {when}  {files:,} files, {_megabytes(size)}, new {_megabytes(new)}")
    if not found:
        print("there are none: `mlinfn backup run` makes one")


@app.command()
def restore(
    paths: list[str] = typer.Argument(None, help="What: homes/alice, homes/alice/plot.ipynb, projects/alpha …"),
    whole: bool = typer.Option(False, "--whole", help="The whole platform, onto an empty site."),
    to: Path | None = typer.Option(None, "--to", help="Where to, for one path; default: where it was."),
    snapshot: str = SNAPSHOT,
    overwrite: bool = typer.Option(False, "--overwrite", help="Move aside what is there, as NAME.before-TIME."),
    settings: Path | None = FILE,
) -> None:
    """Bring back a file, a home, or all. What is there is never written over.

    Example: mlinfn backup restore homes/alice/plot.ipynb --to /tmp/plot.ipynb
    """
    from mlinfn_condor.backup import restoring, running

    if whole == bool(paths):
        raise UserError("name what to restore (homes/alice, homes/alice/plot.ipynb), or --whole for everything")
    if to is not None and len(paths or []) != 1:
        raise UserError("--to is for one path")
    report = _report()
    platform, restic, chosen, room = _opened(settings, report)
    chosen.refuse_open_secrets()
    wanted = running.latest(restic.snapshots(platform.name), snapshot)
    if whole:
        _restore_whole(platform, restic, room, report, wanted.id, overwrite)
        return
    for path in paths:
        source = restoring.place_of(wanted, path)
        tree, _, rest = path.strip("/").partition("/")
        target = to.absolute() if to else platform.trees.get(tree, Path(restoring.trees_of(wanted)[tree])) / rest
        with report.step(f"restore {path} of {wanted.time[:16].replace('T', ' ')}"):
            moved = restoring.one(restic, wanted, source, target, overwrite=overwrite)
        print(f"{path} is back: {target}")
        for old in moved:
            print(f"what was there is now {old}")


@app.command(epilog="Example: mlinfn backup verify --share 100%")
def verify(
    share: str | None = typer.Option(None, help="How much of the data to read, e.g. 5% or 100%; default: the setting."),
    settings: Path | None = FILE,
) -> None:
    """Read the repository again and restore the latest state aside, to see that it can be. Exit code 1 if not."""
    from mlinfn_condor.backup import running

    report = _report()
    platform, restic, chosen, room = _opened(settings, report)
    running.nice()
    seen = running.verify(platform, restic, chosen, room, report, share or chosen.verify_share)
    print(f"backup {seen.short_id} of {seen.time[:16].replace('T', ' ')} can be restored")


@app.command(epilog="Example: mlinfn backup status --json")
def status(settings: Path | None = FILE, as_json: bool = JSON) -> None:
    """When the last good backup and verification were. Exit code 1 when one is late or failed."""
    from mlinfn_condor.backup import record

    chosen, place = room(settings)
    seen = record.read(place.record)
    judgement = record.judged(seen, chosen, time.time())
    if as_json:
        print(json.dumps({**asdict(seen), **asdict(judgement)}))
    else:
        size = f"{seen.files:,} files, {_megabytes(seen.bytes)}, in {seen.seconds:.0f} s"
        print(f"last good backup: {_when(seen.good_at)}, {size}")
        print(f"last verified: {_when(seen.verified_at)}")
        for sentence in judgement.sentences:
            print(f"warning: {sentence}")
    if judgement.sentences:
        sys.exit(1)


@app.command(epilog="Example: mlinfn backup serve --settings /etc/mlinfn/storage.toml")
def serve(settings: Path | None = FILE) -> None:
    """Back up and verify by the clock, until it is stopped; `mlinfn services run` runs it with the others."""
    from mlinfn_condor.backup import running
    from mlinfn_condor.backup.service import Acts, Service

    report = _report(quiet=True)
    running.nice()

    def act_run() -> None:
        running.run(*_opened(settings, report), report)

    def act_verify() -> None:
        platform, restic, chosen, room = _opened(settings, report)
        running.verify(platform, restic, chosen, room, report, chosen.verify_share)

    Service(Acts(lambda: room(settings), act_run, act_verify)).serve()


def _restore_whole(
    platform: "Platform", restic: "Restic", room: "Room", report: "Report", wanted: str, overwrite: bool
) -> None:
    from mlinfn_condor.backup import running, whole
    from mlinfn_condor.embedded import processes
    from mlinfn_condor.embedded.layout import Layout
    from mlinfn_condor.settings import Settings
    from mlinfn_condor.store.site import VARIABLE as DATABASE
    from mlinfn_condor.store.site import local_server

    settings = Settings()
    if processes.master(Layout(settings.pool_folder.absolute())) is not None:
        raise UserError(f"pool {settings.pool} is up: `mlinfn pool down` first, or restore another pool with --pool")
    snapshot = running.latest(restic.snapshots(platform.name), wanted)
    restored = whole.restore(
        platform, restic, room, snapshot, lambda: os.environ.get(DATABASE) or local_server().up(report), report,
        overwrite=overwrite,
    )  # fmt: skip
    print(f"everything is as it was at {_when(restored.taken_at)}: go on with `mlinfn pool up`, `mlinfn hub up`")
    for old in restored.moved_aside:
        print(f"what was there is now {old}")


def room(file: Path | None) -> "tuple[BackupSettings, Room]":
    """Settings and the folder of the record. Raises BackupFailed where nobody asked for backups."""
    from mlinfn_condor.backup import settings as backup
    from mlinfn_condor.backup.running import Room
    from mlinfn_condor.settings import Settings

    settings = Settings()
    _, chosen = backup.of_site(_file(file))
    return chosen, Room(settings.home.absolute() / "backup" / settings.pool)


def _opened(file: Path | None, report: "Report") -> "tuple[Platform, Restic, BackupSettings, Room]":
    from mlinfn_condor.backup import platform, program
    from mlinfn_condor.backup import settings as backup
    from mlinfn_condor.backup.beside import Copies
    from mlinfn_condor.backup.restic import Restic
    from mlinfn_condor.settings import Settings
    from mlinfn_condor.store.errors import StoreUnreachable
    from mlinfn_condor.store.site import dsn_of_site, local_server

    settings = Settings()
    storage, chosen = backup.of_site(_file(file))
    _, place = room(file)
    try:
        dsn = dsn_of_site()
    except StoreUnreachable:
        # A private database that is there and down holds what this backup would lack.
        if (local_server().layout.data).exists():
            raise
        dsn = None
    asked = chosen.copies
    copies = Copies(asked.folder, asked.names, asked.patience_seconds) if asked else None
    found = platform.of_site(settings, storage, chosen.folders, dsn, copies)
    return found, Restic(program.ensure(settings, report), chosen, place.cache), chosen, place


def _file(given: Path | None) -> Path:
    from mlinfn_condor.backup.settings import settings_file
    from mlinfn_condor.settings import Settings

    return given or (Path(told) if (told := os.environ.get(VARIABLE)) else settings_file(Settings()))


def _report(*, quiet: bool = False) -> "Report":
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.embedded.report import SilentReport

    return SilentReport() if quiet else RichReport()


def _when(seconds: float) -> str:
    return time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime(seconds)) if seconds else "never"


def _megabytes(size: int) -> str:
    return f"{size / 1e6:,.1f} MB"
