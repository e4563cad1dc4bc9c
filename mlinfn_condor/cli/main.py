"""The command `mlinfn`: one line for a person when something is wrong, a traceback only for a mistake of ours."""

import os
import sys
from getpass import getuser

import typer

from mlinfn_condor.cli import (
    accounting,
    backing_up,
    benching,
    boosting,
    contracting,
    databases,
    glideins,
    homes,
    hubs,
    identifying,
    ingesting,
    inventories,
    looking,
    nodes,
    pools,
    reporting,
    scheduling,
    serving,
    simulating,
    sites,
    submitting,
    telling,
    watching,
    webbing,
)
from mlinfn_condor.cli.connection import choose
from mlinfn_condor.cli.files import is_full
from mlinfn_condor.errors import MlinfnError, UserError

app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Share the accelerators of a site: sessions, Dask workers and training on one HTCondor pool.",
    epilog="Begin with `mlinfn demo`, or with `mlinfn pool up` and `mlinfn status`.",
)
GROUPS = (
    (
        pools.app,
        "pool",
        "Install HTCondor and run a private pool on this machine.",
        "docs/operations.md#the-embedded-pool",
    ),
    (hubs.app, "hub", "Run JupyterHub on the private pool of this machine.", "docs/hub.md"),
    (
        identifying.app,
        "identity",
        "People, projects and their numbers, for hub, pods and homes.",
        "docs/hub.md#people-and-their-numbers",
    ),
    (databases.app, "db", "Run a private PostgreSQL, or look after the site's.", "docs/database.md"),
    (accounting.app, "accounting", "Record who used what.", "docs/accounting.md"),
    (
        inventories.app,
        "inventory",
        "Tell what was granted outside of HTCondor's sight.",
        "docs/accounting.md#what-htcondor-does-not-see",
    ),
    (ingesting.app, "ingest", "Take data from instruments, or send it.", "docs/ingestion.md"),
    (simulating.app, "policy", "Try a policy before making it.", "docs/sharing.md#try-a-policy-before-making-it"),
    (sites.app, "site", "Describe a site in one file.", "docs/deploy.md"),
    (
        contracting.app,
        "config",
        "Check a site's file, turn it into configuration, compare.",
        "docs/deploy.md#2-render-it",
    ),
    (nodes.app, "node", "Look after an execution node.", "docs/metering.md#cost"),
    (glideins.app, "glidein", "Nodes that come with demand and leave when idle.", "docs/provisioning.md#commands"),
    (scheduling.app, "schedule", "Work that starts by the clock or by data.", "docs/services.md#schedules"),
    (serving.app, "services", "Run the recorder, the provisioner and the others together.", "docs/services.md"),
    (backing_up.app, "backup", "Keep homes, database and queues elsewhere; bring them back.", "docs/storage.md#backup"),
    (homes.app, "home", "What homes and project folders hold.", "docs/storage.md#homes-and-project-folders"),
    (submitting.app, "submit", "Submit a training, a sweep, a session or Dask workers.", "docs/training.md"),
    (webbing.app, "web", "Look at the pool in a browser.", "docs/web.md"),
    (benching.app, "bench", "Measure how well the pool does, beside HTCondor's defaults.", "docs/performance.md"),
)
"""Groups of commands: what each is for, and the page that tells more."""
for group, called, purpose, page in GROUPS:
    app.add_typer(group, name=called, help=purpose, epilog=f"More: {page}")
app.command()(boosting.boost)
app.command(epilog="Example: mlinfn status --json")(looking.status)
app.command(epilog="Example: mlinfn why batch@12.0")(looking.why)
app.command(epilog="Example: mlinfn logs 12.0 -n 50")(looking.logs)
app.command(epilog="Example: mlinfn watch batch@12")(watching.watch)
app.command()(reporting.report)
app.command(epilog="Example: mlinfn demo --down")(telling.demo)

COMPLETING = "_MLINFN_COMPLETE"
"""Set by the shell that asks how a line could go on."""


@app.callback()
def common(
    pool: str | None = typer.Option(None, help="Embedded pool to speak to; default: CONDOR_CONFIG's, else `demo`."),
    user: str | None = typer.Option(None, help="Identity to speak with in an embedded pool; default: its first user."),
) -> None:
    """Options of every command."""
    choose(pool, user)


def main() -> None:
    """Run the command line; exit code 1 after an error that a person can act on."""
    try:
        _refuse_root()
        app(prog_name="mlinfn")
    except MlinfnError as error:
        print(f"mlinfn: {error}", file=sys.stderr)
        if os.environ.get(pools.CALLED_BY_ROOT) and isinstance(error.__cause__, PermissionError):
            print(f"mlinfn: root's commands run as {getuser()} here, who may not do that", file=sys.stderr)
        if error.page:
            print(f"mlinfn: read on in {error.page}", file=sys.stderr)
        sys.exit(1)
    except OSError as error:
        if not is_full(error):
            raise
        # What is left of the output would fail once more at the end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        where = f" {error.filename}" if error.filename else ""
        print(f"mlinfn: cannot write{where}: {error.strerror}; make room, then run the same again", file=sys.stderr)
        sys.exit(1)
    except KeyboardInterrupt:
        sys.exit(watching.INTERRUPTED)


def _refuse_root() -> None:
    asks_for_help = len(sys.argv) == 1 or {"-h", "--help", "--show-completion"} & {*sys.argv}
    if os.geteuid() == 0 and not asks_for_help and COMPLETING not in os.environ:
        raise UserError("HTCondor runs no jobs of root: be an ordinary user, or use ./mlinfn of a checkout")
