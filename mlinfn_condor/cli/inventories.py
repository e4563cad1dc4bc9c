"""`mlinfn inventory …`: what was granted outside of HTCondor's sight, VMs given to projects and servers on loan."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import UserError

if TYPE_CHECKING:
    from datetime import datetime

    from mlinfn_condor.accounting.inventory.cloud.server import Server
    from mlinfn_condor.accounting.inventory.importing import Change, Difference
    from mlinfn_condor.store import Connection

    TakeOver = Callable[[Connection, bool], tuple[Difference, list[str]]]

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

CLOUD_SOURCE = "openstack:"
"""What the inventories of clouds begin with: a file cannot replace one by mistake."""


@app.callback()
def inventories() -> None:
    """Resources that projects have for themselves, with their time and owner."""


@app.command("import")
def take(
    file: Path | None = typer.Argument(None, help="CSV; its columns are in docs/accounting.md."),
    openstack: str | None = typer.Option(
        None, metavar="CLOUD", help="Instead of a file: the servers of this cloud of clouds.yaml."
    ),
    all_projects: bool = typer.Option(
        False, "--all-projects", help="Servers of all the cloud's projects, not only of the account's own."
    ),
    map_file: Path | None = typer.Option(
        None,
        "--map",
        help="TOML: what the cloud's devices and projects are; default: $MLINFN_ACCOUNTING_OPENSTACK_MAP.",
    ),
    anew: bool = typer.Option(
        False, "--anew", help="Take the cloud's word also for the past of its servers, e.g. after a change of the map."
    ),
    source: str | None = typer.Option(None, help="Name of the inventory; default: that of the file or cloud."),
    dry_run: bool = typer.Option(False, "--dry-run", help="Tell what would change, and change nothing."),
    dsn: str | None = typer.Option(None, help="Database to write to; default: $MLINFN_DATABASE, else the private one."),
) -> None:
    """Replace all that this inventory said before; the same again changes nothing.

    Example: mlinfn inventory import loans.csv --dry-run
    """
    from mlinfn_condor.store import StoreError, connect, dsn_of_site
    from mlinfn_condor.store.connection import told_in_one_line
    from mlinfn_condor.store.local import RECORDER

    if (file is None) == (openstack is None):
        raise UserError("name a CSV file or --openstack CLOUD, one of the two")
    if file is not None and (all_projects or map_file or anew):
        raise UserError("--all-projects, --map and --anew are for --openstack")
    # First what may be wrong with the words and files, then the database, then the cloud.
    if file is not None:
        take_over = _of_file(file, source or file.stem)
    else:
        take_over = _of_cloud(str(openstack), f"{CLOUD_SOURCE}{source or openstack}", map_file, all_projects, anew)
    with (
        told_in_one_line("nothing was imported", StoreError),
        connect(dsn_of_site(dsn, role=RECORDER), autocommit=True, application="mlinfn inventory") as connection,
    ):
        difference, notes = take_over(connection, dry_run)
    for line in (*told(difference), *notes):
        print(line)
    print(summary(difference, dry_run=dry_run))


def _of_file(file: Path, source: str) -> "TakeOver":
    from mlinfn_condor.accounting.inventory.importing import replace
    from mlinfn_condor.accounting.inventory.rows import read

    if ":" in source:
        raise UserError(f"inventory {source!r}: a name with a colon is a cloud's; choose another --source")
    try:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            grants = read(lines)
    except OSError as error:
        raise UserError(f"nothing was imported: {file}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise UserError(f"nothing was imported: {file}: byte {error.start} is no UTF-8: save it as UTF-8") from error
    return lambda connection, dry_run: (replace(connection, source, grants, dry_run=dry_run), [])


def _of_cloud(cloud: str, source: str, map_file: Path | None, all_projects: bool, anew: bool) -> "TakeOver":
    from mlinfn_condor.accounting.inventory.cloud import meaning
    from mlinfn_condor.accounting.inventory.cloud.importing import import_cloud
    from mlinfn_condor.accounting.settings import AccountingSettings

    try:
        from mlinfn_condor.accounting.inventory.cloud import listing
    except ImportError as error:
        raise UserError("--openstack needs the package's extra: pip install 'mlinfn-condor[openstack]'") from error
    means = meaning.read(map_file or AccountingSettings().openstack_map)

    def take_over(connection: "Connection", dry_run: bool) -> "tuple[Difference, list[str]]":
        def servers(since: "datetime | None") -> "list[Server]":
            return listing.servers(cloud, all_projects=all_projects, deleted_since=since)

        done = import_cloud(connection, source, servers, means, anew=anew, dry_run=dry_run)
        return done.difference, [f"left to the pool, whose node it is: {name}" for name in done.of_the_pool]

    return take_over


def told(difference: "Difference") -> Iterator[str]:
    """A line for each period; one that only ends at another time is one line, not one gone and one new."""
    begun = {(c.name, c.device, c.since): c for c in difference.new}
    for gone in difference.gone:
        now = begun.pop((gone.name, gone.device, gone.since), None)
        if now is None:
            yield f"gone    {_period(gone)}"
        elif now.until == gone.until:
            yield f"changed {_period(now)}"
        else:
            yield f"changed {_period(now)}, was until {_moment(gone.until)}"
    yield from (f"new     {_period(new)}" for new in begun.values())
    yield from (f"cut     {_period(cut)} of the pool" for cut in difference.cut)


def summary(difference: "Difference", *, dry_run: bool) -> str:
    """How many periods of each kind."""
    counts = (len(difference.new), len(difference.gone), len(difference.cut))
    if not any(counts):
        return "nothing changes"
    counted = "periods: {} new, {} gone or changed, {} of the pool cut".format(*counts)
    return f"{counted} (--dry-run: nothing was changed)" if dry_run else counted


def _period(change: "Change") -> str:
    what = change.device if change.device.startswith(change.name) else f"{change.name} {change.device}".strip()
    return f"{what}: {_moment(change.since)} to {_moment(change.until)}"


def _moment(moment: "datetime | None") -> str:
    return f"{moment:%Y-%m-%d %H:%M}" if moment is not None else "no end"
