"""The command `mlinfn`: one line for a person when something is wrong, a traceback only for a mistake of ours."""

import os
import sys

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
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Share the accelerators of a site: sessions, Dask workers and training on one HTCondor pool.",
    epilog="Begin with `mlinfn demo`, or with `mlinfn pool up` and `mlinfn status`.",
)
app.add_typer(pools.app, name="pool", help="Install HTCondor and run a private pool on this machine.")
app.add_typer(hubs.app, name="hub", help="Run JupyterHub on the private pool of this machine.")
app.add_typer(identifying.app, name="identity", help="People, projects and their numbers, for hub, pods and homes.")
app.add_typer(databases.app, name="db", help="Run a private PostgreSQL, or look after the site's.")
app.add_typer(accounting.app, name="accounting", help="Record who used what.")
app.add_typer(inventories.app, name="inventory", help="Tell what was granted outside of HTCondor's sight.")
app.add_typer(ingesting.app, name="ingest", help="Take data from instruments, or send it.")
app.add_typer(simulating.app, name="policy", help="Try a policy before making it.")
app.add_typer(sites.app, name="site", help="Describe a site in one file.")
app.add_typer(contracting.app, name="config", help="Check a site's file, turn it into configuration, compare.")
app.add_typer(nodes.app, name="node", help="Look after an execution node.")
app.add_typer(glideins.app, name="glidein", help="Nodes that come with demand and leave when idle.")
app.add_typer(scheduling.app, name="schedule", help="Work that starts by the clock or by data.")
app.add_typer(serving.app, name="services", help="Run the recorder, the provisioner and the others together.")
app.add_typer(backing_up.app, name="backup", help="Keep homes, database and queues elsewhere; bring them back.")
app.add_typer(homes.app, name="home", help="What homes and project folders hold.")
app.add_typer(submitting.app, name="submit", help="Submit a training, a sweep, a session or Dask workers.")
app.add_typer(webbing.app, name="web", help="Look at the pool in a browser.")
app.add_typer(benching.app, name="bench", help="Measure how well the pool does, beside HTCondor's defaults.")
app.command()(boosting.boost)
app.command()(looking.status)
app.command()(looking.why)
app.command()(looking.logs)
app.command()(watching.watch)
app.command()(reporting.report)
app.command()(telling.demo)


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
    asks_for_help = len(sys.argv) == 1 or {"-h", "--help"} & {*sys.argv}
    if os.geteuid() == 0 and not asks_for_help:
        raise UserError("HTCondor runs no jobs of root: be an ordinary user, or use ./mlinfn of a checkout")
