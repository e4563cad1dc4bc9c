"""`mlinfn glidein …`: execution nodes that come with demand and leave when idle."""

import json
import sys
import time
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import NodeNotFound, UserError
from mlinfn_condor.stopping import told_to_stop

if TYPE_CHECKING:
    from mlinfn_condor.provisioning.actions import Plan
    from mlinfn_condor.provisioning.site import Site

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

SETTINGS = typer.Option(
    None, "--settings", envvar="MLINFN_PROVISIONING", help="The provisioner's settings; default: the embedded pool's."
)
JSON = typer.Option(False, "--json", help="For programs.")


@app.command(epilog="Example: mlinfn glidein plan")
def plan(settings: Path | None = SETTINGS, as_json: bool = JSON) -> None:
    """Say which nodes would be asked for, kept, retired or cleared away now, and why; nothing is done."""
    provisioner = _site(settings).provisioner
    snapshot = provisioner.look()
    decided = provisioner.decide(snapshot)
    if as_json:
        print(json.dumps(_told(decided), indent=1))
        return
    if decided.distrust:
        print(f"nothing is concluded: {decided.distrust}")
    for action in decided.actions:
        print(f"{_word(action)} {action.name}: {action.reason}")
    for fate in decided.blocked:
        print(f"no node for {fate.need.words} (of {fate.blocked}): {fate.reason}")
    if not decided.actions and not decided.blocked and not decided.distrust:
        idle = sum(need.count for need in snapshot.needs)
        print(f"nothing to do: {idle} idle jobs, {len(snapshot.glideins)} glideins")


@app.command("list", epilog="Example: mlinfn glidein list")
def list_(settings: Path | None = SETTINGS, as_json: bool = JSON) -> None:
    """List the glideins: what they are, whether they have joined, what they run, what is wrong with them."""
    from mlinfn_condor.provisioning.roster import roster

    rows = roster(_site(settings).provisioner.look())
    if as_json:
        print(json.dumps([asdict(row) for row in rows], indent=1))
        return
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("glidein", "kind", "state", "since", "jobs", "told"):
        table.add_column(column, no_wrap=column == "glidein", justify="right" if column == "jobs" else "left")
    for row in rows:
        table.add_row(row.name, row.kind, row.state, row.since, str(row.jobs), row.told)
    Console(width=None if sys.stdout.isatty() else 160).print(table if rows else "no glideins: `mlinfn glidein run`")


@app.command(epilog="Example: mlinfn glidein run --settings provisioning.toml")
def run(settings: Path | None = SETTINGS) -> None:
    """Ask for nodes when jobs need them, until it is stopped. A second one waits until the first has ended."""
    from mlinfn_condor.provisioning import reconcile

    site, stop = _site(settings, acting=True), told_to_stop()
    kinds = ", ".join(sorted(site.settings.kinds))
    print(f"provisioner: kinds {kinds}; settings {site.settings_file}", flush=True)
    if not site.leader.leads():
        print("provisioner: another one acts; this one takes over when it ends", flush=True)
    try:
        reconcile.run(site.provisioner, site.leader, stop)
    finally:
        site.close()


@app.command(epilog="Example: mlinfn glidein retire t4-1 --busy")
def retire(
    name: str = typer.Argument(help="The glidein, as `mlinfn glidein list` has it."),
    busy: bool = typer.Option(False, "--busy", help="Also when something runs there: jobs get their window."),
    settings: Path | None = SETTINGS,
) -> None:
    """Have a glidein take nothing new, and leave when it is empty. One that is busy is refused without --busy."""
    from mlinfn_condor.provisioning.journal import Happening

    provisioner = _site(settings).provisioner
    if name not in {one.name for one in provisioner.backend.glideins()}:
        raise NodeNotFound(f"there is no glidein {name}: `mlinfn glidein list` has those that there are")
    reason = "an administrator retires it"
    provisioner.nodes.drain(name, reason, though_busy=busy)
    provisioner.journal.note(Happening(time.time(), "retired", name, reason))
    print(f"{name} leaves when it is empty")


@app.command(epilog="Example: mlinfn glidein selftest --settings provisioning.toml --kind t4")
def selftest(
    settings: Path = typer.Option(..., "--settings", envvar="MLINFN_PROVISIONING", help="The site's settings."),
    kubeconfig: Path | None = typer.Option(None, help="Cluster to try; default: the settings' own."),
    kind: str | None = typer.Option(None, help="Kind of node to start; default: the first of the settings."),
    folder: Path = typer.Option(Path(), help="Where the job's event log goes; its access point must see it."),
    owner: str = typer.Option("", "--as", help="In whose name the job is, for an administrator without a project."),
) -> None:
    """Start one glidein in a cluster, run one job on it, and clear both away; each step is told, each failure cured."""
    from mlinfn_condor.cli import connection
    from mlinfn_condor.provisioning import selftest as trying
    from mlinfn_condor.provisioning.site import cluster_of

    known, cluster = cluster_of(settings, kubeconfig)
    kinds = {one.name: one for one in known.node_kinds}
    if kind is not None and kind not in kinds:
        raise UserError(f"the settings have no kind {kind}: one of {', '.join(kinds)}")
    chosen = kinds[kind] if kind else known.node_kinds[0]
    pool, say = connection.connect().pool, partial(print, flush=True)
    trying.on_kubernetes(cluster, pool, chosen, folder.absolute(), say, owner=owner)


def _site(settings: Path | None, *, acting: bool = False) -> "Site":
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.provisioning import site
    from mlinfn_condor.settings import Settings

    return site.of(settings, acting=acting) if settings else site.embedded(lifecycle.running(Settings()))


def _word(action: object) -> str:
    return {"Start": "start", "Retire": "retire", "KeepOn": "keep", "Remove": "clear away"}[type(action).__name__]


def _told(decided: "Plan") -> dict[str, object]:
    return {
        "distrust": decided.distrust,
        "actions": [{"do": _word(action), **asdict(action)} for action in decided.actions],
        "blocked": [{"need": fate.need.words, "jobs": fate.blocked, "reason": fate.reason} for fate in decided.blocked],
        "growing": list(decided.growing),
    }
