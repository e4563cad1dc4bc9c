"""`mlinfn db …`: the site's PostgreSQL, or a private one on this machine."""

import json
import os
import shutil
from dataclasses import asdict
from enum import StrEnum

import typer

from mlinfn_condor.errors import UserError

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


class Role(StrEnum):
    """As whom to enter the private database."""

    OWNER = "owner"
    RECORDER = "recorder"
    REPORTS = "reports"
    SCHEDULES = "schedules"
    IDENTITY = "identity"


DSN = typer.Option(None, "--dsn", help="Database to speak to; default: $MLINFN_DATABASE, else the private one.")
AS = typer.Option(Role.OWNER, "--as", help="Role to enter the private database as.")


@app.command(epilog="Example: mlinfn db up")
def up() -> None:
    """Bring a private PostgreSQL up, or find it, and bring its schema up to date. No root, no port, no set-up."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.store.site import VARIABLE, local_server

    server = local_server()
    found = server.running() is not None
    dsn = server.up(RichReport())
    print(f"the database {'was up already' if found else 'is up'}: {server.status().programs}")
    _bring_up_to_date(dsn, or_newer=True)
    print("`mlinfn db shell` opens psql in it, `mlinfn db url` prints its address")
    if os.environ.get(VARIABLE):
        print(f"commands do not use it while {VARIABLE} is set")


@app.command(epilog="Example: mlinfn db down")
def down() -> None:
    """Take the private PostgreSQL down. Its data stays."""
    from mlinfn_condor.cli.progress import RichReport
    from mlinfn_condor.store.site import local_server

    with RichReport().step("take the database down"):
        ran = local_server().down()
    print(f"the database {'is down' if ran else 'was not up'}")


@app.command(epilog="Example: mlinfn db status --json")
def status(dsn: str | None = DSN, as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Say which database it is, whether its schema is up to date, how its mirrors do. Exit code 1 when it is down."""
    from mlinfn_condor.store.connection import place
    from mlinfn_condor.store.mirror.source import megabytes
    from mlinfn_condor.store.overview import look
    from mlinfn_condor.store.site import dsn_of_site, local_server

    address = dsn_of_site(dsn)
    seen = look(address)
    server = local_server()
    local = server.status() if address == server.dsn else None
    if as_json:
        folder = {"folder": str(local.folder), "free_bytes": local.free_bytes} if local else {}
        print(json.dumps({"database": place(address), **folder, **asdict(seen)}))
        return
    print(f"{place(address)} is up: PostgreSQL {seen.version}, {megabytes(seen.size_bytes)}")
    if local:
        print(f"folder {local.folder}, logs in {server.layout.log}, {megabytes(local.free_bytes)} free")
    missing = f"{len(seen.missing)} missing: `mlinfn db migrate`" if seen.missing else "none missing"
    print(f"schema: {len(seen.applied)} migrations applied, {missing}")
    for mirror in seen.mirrors:
        print(f"mirror {mirror.slot}: {megabytes(mirror.behind_bytes)} behind")
        if warning := mirror.warning(local.free_bytes if local else None):
            print(f"warning: {warning}")


@app.command(epilog="Example: mlinfn db migrate --dsn postgresql://mlinfn_owner@db.example.org/mlinfn")
def migrate(
    dsn: str | None = DSN,
    or_newer: bool = typer.Option(
        False, "--or-newer", help="Take a database that a newer version has migrated as it is: docs/upgrading.md."
    ),
) -> None:
    """Bring the schema up to date. Safe to run twice, and at once from two places."""
    from mlinfn_condor import store

    if _bring_up_to_date(store.dsn_of_site(dsn), or_newer=or_newer) == 0:
        print("the schema is up to date")


def _bring_up_to_date(dsn: str, *, or_newer: bool) -> int | None:
    """How many files were applied; None when a newer version has been here, and that is taken as it is."""
    from mlinfn_condor import store
    from mlinfn_condor.store.errors import DatabaseNewer

    try:
        names = store.migrate(dsn)
    except DatabaseNewer as error:
        if not or_newer:
            raise
        print(f"left as it is: {str(error).partition(';')[0]}")
        return None
    for name in names:
        print(f"applied {name}")
    return len(names)


@app.command(epilog="Example: mlinfn db url --as reports")
def url(dsn: str | None = DSN, role: Role = AS) -> None:
    """Print the address of the database for programs that speak PostgreSQL."""
    from mlinfn_condor.store import dsn_of_site

    print(dsn_of_site(dsn, role=f"mlinfn_{role}"))


@app.command()
def shell(
    arguments: list[str] = typer.Argument(None, help="psql's own options; after --."),
    dsn: str | None = DSN,
    role: Role = AS,
) -> None:
    """Open psql in the database.

    Example: mlinfn db shell --as reports -- -c 'SELECT 1'
    """
    from mlinfn_condor.store import dsn_of_site
    from mlinfn_condor.store.connection import environment
    from mlinfn_condor.store.local import programs

    address = dsn_of_site(dsn, role=f"mlinfn_{role}")
    # The machine's own psql first: the one that came with a private server edits no lines.
    psql = shutil.which("psql") or str(programs.find().bin / "psql")
    try:
        os.execve(psql, [psql, *(arguments or [])], os.environ | environment(address))  # noqa: S606 - the user's own
    except OSError as error:
        raise UserError(f"{psql}: {error.strerror}") from error


@app.command(epilog="Example: mlinfn db mirror --to postgresql://admin@main.example.org/bari --site bari")
def mirror(
    dsn: str | None = DSN,
    to: str | None = typer.Option(None, "--to", help="DSN of the main database, which will follow the site's."),
    site: str | None = typer.Option(None, help="Name of this site at the main server; default: the pool's name."),
    publication: str = typer.Option("mlinfn", help="Name of what the site publishes."),
    reached_as: str | None = typer.Option(
        None, help="DSN by which the main server reaches the site's database, if it is another than ours."
    ),
    replace: bool = typer.Option(False, "--replace", help="Empty the main database's tables first."),
    remove: bool = typer.Option(
        False, "--remove", help="Take the mirror down; without --to when the main server is gone for good."
    ),
) -> None:
    """Let a main PostgreSQL follow the site's database, by logical replication. Run it again after each new version."""
    from mlinfn_condor import store
    from mlinfn_condor.settings import Settings
    from mlinfn_condor.store import mirror as mirroring

    address, name = store.dsn_of_site(dsn), site or Settings().pool
    if remove:
        gone = mirroring.remove(address, to, name, publication=publication)
        print(f"the mirror of {name} {'is taken down' if gone else 'did not exist'}")
        return
    if to is None:
        raise UserError("--to says which database is to follow this one")
    slot = mirroring.mirror(address, to, name, publication=publication, reached_as=reached_as, replace=replace)
    print(f"the main database follows site {name} (slot {slot}); `mlinfn db status` shows how far it is behind")
