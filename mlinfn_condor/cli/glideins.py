"""`mlinfn glidein …`: execution nodes that come with demand and leave when idle."""

import json
import signal
import sys
import threading
import time
from dataclasses import asdict
from typing import TYPE_CHECKING

import typer

from mlinfn_condor.errors import NodeNotFound, UserError

if TYPE_CHECKING:
    from mlinfn_condor.provisioning.actions import Plan
    from mlinfn_condor.provisioning.site import Site

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)


@app.command()
def plan(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """Say which nodes would be asked for, kept, retired or cleared away now, and why; nothing is done."""
    provisioner = _site().provisioner
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


@app.command("list")
def list_(as_json: bool = typer.Option(False, "--json", help="For programs.")) -> None:
    """List the glideins: what they are, whether they have joined, what they run, what is wrong with them."""
    from mlinfn_condor.provisioning.roster import roster

    rows = roster(_site().provisioner.look())
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


@app.command()
def run() -> None:
    """Ask for nodes when jobs need them, until it is stopped. A second one waits until the first has ended."""
    from mlinfn_condor.provisioning import reconcile

    site, stop = _site(), threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    kinds = ", ".join(sorted(site.provisioner.settings.kinds))
    print(f"provisioner: kinds {kinds}; settings {site.settings_file}", flush=True)
    if not site.leader.leads():
        print("provisioner: another one acts; this one takes over when it ends", flush=True)
    reconcile.run(site.provisioner, site.leader, stop)


@app.command()
def retire(
    name: str = typer.Argument(help="The glidein, as `mlinfn glidein list` has it."),
    busy: bool = typer.Option(False, "--busy", help="Also when something runs there: jobs get their window."),
) -> None:
    """Have a glidein take nothing new, and leave when it is empty. One that is busy is refused without --busy."""
    from mlinfn_condor.provisioning.journal import Happening

    provisioner = _site().provisioner
    if name not in {one.name for one in provisioner.backend.glideins()}:
        raise NodeNotFound(f"there is no glidein {name}: `mlinfn glidein list` has those that there are")
    reason = "an administrator retires it"
    provisioner.nodes.drain(name, reason, though_busy=busy)
    provisioner.journal.note(Happening(time.time(), "retired", name, reason))
    print(f"{name} leaves when it is empty")


def _site() -> "Site":
    from mlinfn_condor.embedded import lifecycle
    from mlinfn_condor.provisioning import site
    from mlinfn_condor.settings import Settings

    try:
        return site.embedded(lifecycle.running(Settings()))
    except ValueError as error:
        raise UserError(f"the pool's configuration lacks a number: {error}; `mlinfn pool down`, then up") from error


def _word(action: object) -> str:
    return {"Start": "start", "Retire": "retire", "KeepOn": "keep", "Remove": "clear away"}[type(action).__name__]


def _told(decided: "Plan") -> dict[str, object]:
    return {
        "distrust": decided.distrust,
        "actions": [{"do": _word(action), **asdict(action)} for action in decided.actions],
        "blocked": [{"need": fate.need.words, "jobs": fate.blocked, "reason": fate.reason} for fate in decided.blocked],
        "growing": list(decided.growing),
    }
